"""`RenderPlan`: everything that decides the bytes of a rendered corpus. Renders nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from functools import cached_property
from typing import Any

from menura.datasets.sampling import fingerprint_of, sampler_of
from menura.errors import CorpusError, InputError
from menura.features.embedders import embedder_of
from menura.note import Note
from menura.synths.registry import synth_of
from menura.version import __version__

FORMAT = 1
"""Of the folder and its shards; raise it when older readers would misread."""
_SMALLEST, _LARGEST, _LARGEST_WITH_AUDIO = 16, 1024, 128
_MOST_SHARDS = 100_000


@dataclass(frozen=True)
class RenderPlan:
    """What is rendered, and by what; `plan_of` makes one."""

    count: int
    """Items, each a preset."""
    prior: str
    """Which sampler draws them."""
    synth: str
    seed: int
    notes: tuple[Note, ...]
    """How each preset is played; a row each."""
    embedders: tuple[str, ...]
    audio: bool
    """Whether rows hold their sound."""
    sample_rate: int
    """Hz of the renders."""
    shard_size: int
    """Items in a shard."""
    fingerprints: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of menura, engine, space, prior and embedders, as they are on the machine that made the plan."""

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return -(-self.count // self.shard_size)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of all of it, as hex."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()

    def items(self, number: int) -> range:
        """Indices of the items of a shard."""
        return range(number * self.shard_size, min((number + 1) * self.shard_size, self.count))

    def record(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {"format": FORMAT, **asdict(self), "notes": [asdict(note) for note in self.notes]} | {
            "embedders": list(self.embedders),
            "fingerprints": dict(self.fingerprints),
        }

    def differences(self, other: RenderPlan) -> list[str]:
        """What another plan has otherwise, as ``"seed 0, not 1"``: this one's first."""
        mine, theirs = self.record(), other.record()
        plain = [key for key in mine if key != "fingerprints" and mine[key] != theirs[key]]
        found = [f"{key} {_short(mine[key])}, not {_short(theirs[key])}" for key in plain]
        for key in sorted({*self.fingerprints, *other.fingerprints}):
            own, others = self.fingerprints.get(key, "none"), other.fingerprints.get(key, "none")
            if own != others:
                found.append(f"{key} {own}, not {others}")
        return found


def plan_of(
    count: int,
    prior: str = "uniform",
    synth: str = "vital",
    *,
    seed: int = 0,
    notes: Sequence[Note] = (Note(),),
    embedders: Sequence[str] = ("mel128",),
    audio: bool = False,
    sample_rate: int = 44_100,
    shard_size: int | None = None,
) -> RenderPlan:
    """A plan with the fingerprints of this machine.

    Args:
        count: items.
        prior: name of a sampler.
        synth: name of a synth.
        seed: where all chance comes from.
        notes: how each preset is played.
        embedders: names.
        audio: whether to keep the sounds, as FLAC of 24 bits.
        sample_rate: Hz of the renders.
        shard_size: items in a shard; chosen by `count` alone where not given, so that the number of workers
            changes nothing.

    Raises:
        InputError: a number is out of range, or there is no note.
        UnknownNameError: no such sampler, synth or embedder.
        EngineError: the engine is missing.
    """
    if count < 1 or seed < 0:
        raise InputError(f"a corpus of {count} items with seed {seed}; give 1 item or more, and a seed from 0")
    if not notes or len(set(notes)) != len(notes):
        raise InputError("a corpus needs at least one note, each once; give other notes or velocities")
    if not 8_000 <= sample_rate <= 192_000:
        raise InputError(f"renders at {sample_rate} Hz; give 8000 to 192000 Hz")
    size = shard_size or _shard_size(count, _LARGEST_WITH_AUDIO if audio else _LARGEST)
    if size < 1 or -(-count // size) > _MOST_SHARDS:
        raise InputError(f"shards of {size} items make {-(-count // max(size, 1))} files; give a larger shard size")
    played = tuple(Note(*(float(value) for value in astuple(note))) for note in notes)
    plan = RenderPlan(count, prior, synth, seed, played, tuple(embedders), audio, sample_rate, size)
    return replace(plan, fingerprints=fingerprints_here(plan))


def fingerprints_here(plan: RenderPlan) -> dict[str, str]:
    """The plan's fingerprints as this machine has them.

    Raises:
        UnknownNameError: no such sampler, synth or embedder.
        EngineError: the engine is missing.
    """
    synth = synth_of(plan.synth)
    return {
        "menura": __version__,
        "engine": synth.version,
        "space": synth.space.fingerprint,
        "prior": fingerprint_of(sampler_of(plan.prior, synth), synth),
        **{f"embedder {name}": embedder_of(name).fingerprint for name in plan.embedders},
    }


def read_plan(record: Mapping[str, Any], where: str) -> RenderPlan:
    """A plan from its record.

    Raises:
        CorpusError: it is of another format, or broken.
    """
    if record.get("format") != FORMAT:
        raise CorpusError(f"{where} is of format {record.get('format')!r}, not {FORMAT}; update menura")
    try:
        fields = {key: value for key, value in record.items() if key != "format"}
        notes = tuple(Note(**note) for note in fields.pop("notes"))
        return RenderPlan(**{**fields, "notes": notes, "embedders": tuple(fields["embedders"])})
    except (TypeError, KeyError, InputError) as error:
        raise CorpusError(f"{where} is not the plan of a corpus ({error}); render into a new folder") from error


def _shard_size(count: int, largest: int) -> int:
    """The power of two that gives about 64 shards, within bounds."""
    return max(_SMALLEST, min(largest, 1 << max(count // 64, 1).bit_length() - 1))


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join("/".join(f"{number:g}" for number in note.values()) for note in value)
    return json.dumps(value)
