"""What Surge XT's Python module looks like from outside, written down from its source: names, signatures, numbers.

It is no synth. `processMultiBlock` writes the numbers of the blocks, so that a test can see which block went where, and
`calls` keeps what was called in which order. Tests copy this file to a folder as the package `surgepy`: the real module
is built from Surge's source and could not be installed where menura is developed.

Source: surge-synthesizer/surge, src/surge-python/surgepy.cpp; src/common/Parameter.cpp: value_to_normalized,
set_value_f01, get_value_f01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from menura.synths.plugins.fxp import Fxp
from menura.synths.plugins.spec import spec_of

BLOCK = 32
GROUPS = {"cg_GLOBAL": 0, "cg_OSC": 2, "cg_MIX": 3, "cg_FILTER": 4, "cg_ENV": 5, "cg_LFO": 6, "cg_FX": 7}
constants = SimpleNamespace(**GROUPS, sm_single=0)
calls: list[tuple[object, ...]] = []


@dataclass
class Parameter:
    name: str
    kind: str
    low: float
    high: float
    value: float


def parameters() -> list[Parameter]:
    """Scenes and bend ranges with Surge's numbers, what else `freeze` moves, then one for each searched control."""
    found = [
        Parameter("Scene Mode", "int", 0, 3, 0),
        Parameter("Active Scene", "int", 0, 1, 0),
        Parameter("Split Point", "int", 0, 127, 60),
        *(Parameter(f"{scene} Pitch Bend {way} Range", "int", 0, 24, 2) for scene in "AB" for way in ("Up", "Down")),
        *(Parameter(f"A Osc {number} Retrigger", "bool", 0, 1, 0) for number in (1, 2, 3)),
        Parameter("A LFO 1 Trigger Mode", "int", 0, 2, 0),
    ]
    for line in spec_of("surge-xt").lines:
        kind = "bool" if line.kind == "toggle" else "int" if line.positions else "float"
        found.append(
            Parameter(
                line.control.replace("_", " ").title().replace("Lfo", "LFO"), kind, -1 if kind == "float" else 0, 9, 0
            )
        )
        found[-1].high = 1 if kind == "bool" else 9
    return found


class SurgeSynthesizer_ID:
    def __init__(self, number: int) -> None:
        self._number = number

    def getSynthSideId(self) -> int:
        return self._number


class SurgeNamedParamId:
    def __init__(self, number: int) -> None:
        self._id = SurgeSynthesizer_ID(number)

    def getId(self) -> SurgeSynthesizer_ID:
        return self._id


def createSurge(sampleRate: float) -> SurgeSynthesizer:
    calls.append(("createSurge", sampleRate))
    return SurgeSynthesizer()


def getVersion() -> str:
    return "1.3.written-down"


class SurgeSynthesizer:
    """Only what is used, so that a call which the module does not have is an error."""

    def __init__(self) -> None:
        self._parameters = parameters()
        self._blocks = 0

    def getBlockSize(self) -> int:
        return BLOCK

    def getControlGroup(self, entry: int) -> SimpleNamespace:
        groups = list(GROUPS.values())
        mine = [SurgeNamedParamId(n) for n in range(len(self._parameters)) if groups[n % len(groups)] == entry]
        return SimpleNamespace(getEntries=lambda: [SimpleNamespace(getParams=lambda: mine)])

    def getPatch(self) -> dict:
        scenes = [{"pbrange_up": SurgeNamedParamId(n), "pbrange_dn": SurgeNamedParamId(n + 1)} for n in (3, 5)]
        return {"scenemode": SurgeNamedParamId(0), "scene_active": SurgeNamedParamId(1), "scene": scenes}

    def getParameterName(self, arg0: SurgeSynthesizer_ID) -> str:
        return self._parameters[arg0.getSynthSideId()].name

    def getParamMin(self, arg0: SurgeNamedParamId) -> float:
        return self._of(arg0).low

    def getParamMax(self, arg0: SurgeNamedParamId) -> float:
        return self._of(arg0).high

    def getParamVal(self, arg0: SurgeNamedParamId) -> float:
        return self._of(arg0).value

    def getParamValType(self, arg0: SurgeNamedParamId) -> str:
        return self._of(arg0).kind

    def getParamDisplay(self, arg0: SurgeNamedParamId) -> str:
        return f"{self._of(arg0).value:.2f}"

    def setParamVal(self, param: SurgeNamedParamId, toThis: float) -> None:
        one = self._of(param)
        raw = np.float32(toThis - one.low) / np.float32(one.high - one.low)
        if one.kind == "float":
            one.value = float(np.clip(one.low + raw * (one.high - one.low), one.low, one.high))
        elif one.kind == "bool":
            one.value = float(raw > 0.5)
        else:
            one.value = float(
                np.clip(int((raw - 0.005) / 0.99 * (one.high - one.low) + 0.5) + one.low, one.low, one.high)
            )

    def loadPatch(self, path: str) -> bool:
        calls.append(("loadPatch",))
        found = dict(re.findall(r'<p(\d+) value="([^"]*)"', Fxp.of_bytes(Path(path).read_bytes()).chunk.decode()))
        for number, one in enumerate(self._parameters):
            one.value = float(found.get(str(number), one.value))
        return bool(found)

    def savePatch(self, path: str) -> None:
        body = "".join(f'<p{n} value="{one.value!r}"/>' for n, one in enumerate(self._parameters))
        chunk = f"<patch><parameters>{body}</parameters></patch>".encode()
        Path(path).write_bytes(Fxp("FPCh", b"cjs3", 1, b"Init".ljust(28, b"\0"), chunk=chunk).to_bytes())

    def pitchBend(self, channel: int, bend: int) -> None:
        calls.append(("pitchBend", channel, bend))

    def playNote(self, channel: int, midiNote: int, velocity: int, detune: int = 0) -> None:
        calls.append(("playNote", channel, midiNote, velocity, detune))

    def releaseNote(self, channel: int, midiNote: int, releaseVelocity: int = 0) -> None:
        calls.append(("releaseNote", channel, midiNote, releaseVelocity))

    def process(self) -> None:
        self._blocks += 1

    def createMultiBlock(self, blockCapacity: int) -> np.ndarray:
        return np.zeros((2, blockCapacity * BLOCK), np.float32)

    def processMultiBlock(self, val: np.ndarray, startBlock: int = 0, nBlocks: int = -1) -> None:
        count = nBlocks if nBlocks > 0 else val.shape[1] // BLOCK - startBlock
        if startBlock + count > val.shape[1] // BLOCK:
            raise ValueError("Start block / nBlock combo is beyond the end of input storage")
        calls.append(("processMultiBlock", startBlock, count))
        for block in range(startBlock, startBlock + count):
            val[:, block * BLOCK : (block + 1) * BLOCK] = block

    def _of(self, param: SurgeNamedParamId) -> Parameter:
        return self._parameters[param.getId().getSynthSideId()]
