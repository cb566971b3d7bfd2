"""Mutated presets: each is read and renders, or raises PresetError; nothing else, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.errors import PresetError, RenderError
from menura.note import Note
from menura.synths.vital.format import read_vital, write_vital
from menura.synths.vital.init import initial, shape
from menura.synths.vital.player import VitalPlayer

BASE = write_vital(
    initial().with_values(osc_2_on=1.0, sample_on=1.0, filter_1_on=1.0, reverb_on=1.0, lfo_1_sync_type=2.0)
)
SCALARS = sorted(name for name, value in json.loads(BASE)["settings"].items() if isinstance(value, float))
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-3, 3),
    st.integers(-(2**70), 2**70),
    st.sampled_from([1e30, -1e30, 3.5e38, 0, -1, 2, 100, 256, 257]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything inside of a JSON value that is no scalar control."""
    here: list[tuple[Any, ...]] = []
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in items:
        if path == ("settings",) and key in SCALARS:
            continue
        here.append((*path, key))
        if not (path[-1:] == ("modulations",) and isinstance(key, int) and key > 2):
            here += places(value, (*path, key))
    return here


PLACES = places(json.loads(BASE))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The base preset with one to four things changed, removed, doubled or cut."""
    found = json.loads(BASE)
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["control", "control", "replace", "remove", "route", "line", "grow"]))
        if kind == "control":
            found["settings"][draw(st.sampled_from(SCALARS))] = draw(st.one_of(NUMBERS, JSON))
        elif kind == "route":
            slots = found.get("settings", {}).get("modulations")
            ends = st.sampled_from(["lfo_1", "random_1", "modulation_1_amount", "osc_1_level", "volume", "nothing"])
            if isinstance(slots, list) and slots and isinstance(slots[0], dict):
                slots[0].update(source=draw(ends), destination=draw(ends))
        elif kind == "line":
            count = draw(st.integers(0, 120))
            line = shape([0.0, 1.0], [0.0, 1.0])
            line.update(num_points=count, points=[0.5] * 2 * count, powers=draw(st.lists(NUMBERS, max_size=4)))
            found["settings"]["lfos"] = [line] * draw(st.integers(0, 9))
        else:
            path = draw(st.sampled_from(PLACES))
            parent = found
            try:
                for key in path[:-1]:
                    parent = parent[key]
                if kind == "replace":
                    parent[path[-1]] = draw(JSON)
                elif kind == "remove":
                    del parent[path[-1]]
                elif isinstance(parent, list):
                    parent.append(parent[path[-1]])
            except (KeyError, IndexError, TypeError):
                continue  # An earlier change has taken this place away.
        if not isinstance(found.get("settings"), dict):
            break
    raw = json.dumps(found).encode()
    if draw(st.integers(0, 9)) == 0:
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.binary(max_size=6)) + raw[start + draw(st.integers(0, 6)) :]
    return raw


@pytest.fixture(scope="module")
def player() -> VitalPlayer:
    return VitalPlayer("exact")


@given(raw=mutated())
@settings(max_examples=120)
def test_mutated_presets_render_or_are_refused(player: VitalPlayer, raw: bytes) -> None:
    try:
        preset = read_vital(raw)
    except PresetError as error:
        assert "\n" not in str(error)
        return
    assert read_vital(write_vital(preset)) == preset
    try:
        sound, _ = player.play(preset, Note(50.0, 0.8, 0.03, 0.06), 44_100)
    except RenderError as error:
        assert "not finite" in str(error), error
    else:
        assert sound.shape == (2, 2646)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(PresetError):
        read_vital(raw)


@given(found=JSON)
def test_any_json_is_refused(found: Any) -> None:
    with pytest.raises(PresetError):
        read_vital(json.dumps(found).encode())
