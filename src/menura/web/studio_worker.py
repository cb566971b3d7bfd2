"""The process that renders for listeners: presets with macros turned, other notes, pictures of sounds.

Owns the way from a request to a sound and its numbers in the cache; knows nothing of HTTP.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from menura.errors import MenuraError, RenderError
from menura.web.lines import Lines, bound_memory

if TYPE_CHECKING:
    from menura.audio import Audio
    from menura.preset import Preset
    from menura.synths.base import Synth
    from menura.synths.pool import RenderPool

_POOLS = 3
"""Synths whose engines stay open."""


def main(memory: int) -> None:
    """Answers one line after the other until the server is gone."""
    bound_memory(memory)
    lines = Lines()
    pools: OrderedDict[str, RenderPool] = OrderedDict()
    for request in lines.heard():
        try:
            lines.say(_answer(request, pools))
        except MenuraError as error:
            lines.say({"error": str(error), "status": 422 if error.exit_code == 2 else 500})
        except FileNotFoundError:
            lines.say({"error": "this candidate is no longer kept; a nearer one has come", "status": 404})
        except (OSError, MemoryError) as error:
            lines.say({"error": f"it cannot be rendered now ({type(error).__name__}); try again", "status": 503})
    for pool in pools.values():
        pool.close()


def _answer(request: dict[str, Any], pools: OrderedDict[str, RenderPool]) -> dict[str, Any]:
    if request["what"] == "target":
        return _picture_of_target(request)
    from menura.synths.registry import synth_of
    from menura.web.variation import as_file, control_rows, macro_rows, varied

    synth = synth_of(request["synth"])
    path, macros, controls = Path(request["preset"]), request["macros"], request["controls"]
    preset = varied(synth, path, macros, controls)
    if request["what"] == "controls":
        return {"controls": control_rows(synth, preset), "macros": macro_rows(synth.name), "groups": synth.space.groups}
    if request["what"] == "preset":
        from menura import storage

        storage.write_bytes(request["out"], as_file(synth, preset, path, macros, controls), force=True)
        return {}
    if request["what"] == "building":
        return _building(request, preset, synth, pools)
    return _render(request, synth.freeze(preset), pools)


def _render(request: dict[str, Any], preset: Preset, pools: OrderedDict[str, RenderPool]) -> dict[str, Any]:
    from menura import storage
    from menura.audio import encode_audio
    from menura.note import Note
    from menura.web.picture import picture_of

    note = Note(**request["note"])
    audio = _rendered(preset, note, pools)
    facts = picture_of(audio, pitch=note.pitch if request["pitched"] else None)
    facts["distance"] = _distance(audio, request["target"]) if request["target"] else None
    out = Path(request["out"])
    storage.write_bytes(out, encode_audio(audio), force=True)
    storage.write_text(out.with_suffix(".json"), _json(facts), force=True)
    return {}


def _building(
    request: dict[str, Any], preset: Preset, synth: Synth, pools: OrderedDict[str, RenderPool]
) -> dict[str, Any]:
    from menura import storage
    from menura.explain.explaining import explain
    from menura.note import Note
    from menura.web.building import building_of

    tutorial = explain(preset, synth, _pool(synth.name, pools), Note(**request["note"]))
    storage.write_text(request["out"], _json(building_of(tutorial)), force=True)
    return {}


def _pool(synth: str, pools: OrderedDict[str, RenderPool]) -> RenderPool:
    from menura.synths.pool import RenderPool

    if synth not in pools:
        pools[synth] = RenderPool(synth, workers=1, mode="exact")
        if len(pools) > _POOLS:
            pools.popitem(last=False)[1].close()
    pools.move_to_end(synth)
    return pools[synth]


def _rendered(preset: Preset, note: Any, pools: OrderedDict[str, RenderPool]) -> Audio:
    (found,) = _pool(preset.synth, pools).render_many([(preset, note)])
    if found.audio is None:
        raise RenderError(found.error or "the engine gave no sound")
    return found.audio


def _picture_of_target(request: dict[str, Any]) -> dict[str, Any]:
    from menura import storage
    from menura.audio import read_audio
    from menura.web.picture import picture_of

    facts = picture_of(read_audio(request["target"]), pitch=request["note"]["pitch"] if request["pitched"] else None)
    facts["distance"] = 0.0
    storage.write_text(request["out"], _json(facts), force=True)
    return {}


def _distance(audio: Audio, target: str) -> float:
    """MSS to the target, dB: what the verdict goes by."""
    from menura.audio import read_audio
    from menura.features.distances import mss

    goal = read_audio(target).mono
    mono = audio.to_mono().pad_to(goal.size).mono[: goal.size]
    return float(mss(goal, mono, audio.sample_rate))


def _json(facts: dict[str, Any]) -> str:
    from menura.export import plain

    return json.dumps(plain(facts), allow_nan=False)
