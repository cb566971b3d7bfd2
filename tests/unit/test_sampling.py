"""Samplers: names and specs, draws that are pure functions, and relatives of presets that a user supplies."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from menura.datasets.duplicates import (
    PARAMETER_TWINS,
    knob_space,
    parameter_distance,
    parameter_picture,
    repeats,
    twin_key,
)
from menura.datasets.exclusions import drawn_space, is_absent, is_excluded
from menura.datasets.sampling import SAMPLERS, draw_preset, fingerprint_of, sampler_of, samplers_of
from menura.datasets.splits import split_of
from menura.errors import InputError, ManifestError, UnknownNameError
from menura.synths.registry import synth_of
from menura.synths.vital.sounding import part_of

TOY, VITAL = synth_of("toy"), synth_of("vital")


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """Toy presets, one of them broken."""
    folder = tmp_path_factory.mktemp("bank")
    for number in range(5):
        preset = draw_preset(sampler_of("uniform", TOY), TOY, 9, number)
        (folder / f"{number}.toy").write_bytes(TOY.write(preset))
    (folder / "broken.toy").write_bytes(b"no preset")
    return folder


@pytest.mark.parametrize("spec", ["uniform", "sparse", "family", "human"])
def test_vital_draws_are_pure_playable_frozen_and_whole_as_vectors(spec):
    sampler = sampler_of(spec, VITAL)
    late = draw_preset(sampler, VITAL, 3, 7, 1)
    assert late == draw_preset(pickle.loads(pickle.dumps(sampler)), VITAL, 3, 7, 1)
    others = [draw_preset(sampler, VITAL, *words) for words in [(3, 7, 0), (3, 8, 1), (4, 7, 1)]]
    assert len({late.id, *(other.id for other in others)}) == 4
    for preset in [late, *others]:
        assert VITAL.freeze(preset) == preset
        assert VITAL.read(VITAL.write(preset)) == preset
        assert VITAL.space.decode(VITAL.space.encode(preset), VITAL.freeze(preset)) == preset


def test_uniform_leaves_out_what_the_paper_fixes():
    init = VITAL.freeze(VITAL.init())
    for index in range(3):
        preset = draw_preset(sampler_of("uniform", VITAL), VITAL, 0, index)
        for name in ("volume", "polyphony", "velocity_track", "random_1_frequency", "beats_per_minute", "legato"):
            assert is_excluded(name)
            assert preset.values[name] == init.values[name]
        assert preset.routes
        assert not any(is_absent(route.source) for route in preset.routes)
    assert not any(
        is_excluded(name) for name in ("osc_1_level", "osc_1_unison_voices", "chorus_voices", "sample_level")
    )
    assert drawn_space(TOY.space).dim == TOY.space.dim - 1  # its random phase


def test_an_unknown_sampler_and_one_that_lacks_the_synth_name_what_there_is(tmp_path):
    with pytest.raises(UnknownNameError, match="human"):
        sampler_of("humane", VITAL)
    with pytest.raises(InputError, match=r"'human' knows dx7, vital and not 'toy'; .* uniform, mutate:FOLDER"):
        sampler_of("human", TOY)
    assert "human" in samplers_of(VITAL)
    assert "human" not in samplers_of(TOY)
    with pytest.raises(InputError, match="mutate:FOLDER"):
        sampler_of("mutate", TOY)
    with pytest.raises(InputError, match="from 0"):
        draw_preset(sampler_of("uniform", TOY), TOY, -1, 0)
    with pytest.raises(ManifestError, match="is not there"):
        draw_preset(sampler_of(f"mutate:{tmp_path / 'none'}", TOY), TOY, 0, 0)
    with pytest.raises(ManifestError, match=r"holds no \.toy presets"):
        draw_preset(sampler_of(f"mutate:{tmp_path}", TOY), TOY, 0, 0)
    (tmp_path / "bad.toy").write_bytes(b"{}")
    with pytest.raises(ManifestError, match="none of the 1 presets"):
        draw_preset(sampler_of(f"mutate:{tmp_path}", TOY), TOY, 0, 0)
    with pytest.raises(ManifestError, match="takes two"):
        draw_preset(sampler_of(f"crossover:{tmp_path}", TOY), TOY, 0, 0)


@pytest.mark.parametrize("kind", ["mutate", "crossover"])
def test_relatives_are_near_their_parents_but_no_twins(kind, bank):
    sampler = sampler_of(f"{kind}:{bank}", TOY)
    parents = {file.name: TOY.read(file) for file in bank.glob("[0-9].toy")}
    knobs = knob_space(TOY.space)
    near, far = [], []
    for index in range(30):
        child = draw_preset(sampler, TOY, 1, index)
        assert child == draw_preset(sampler_of(f"{kind}:{bank}", TOY), TOY, 1, index)
        assert child.origin["lineage"] == child.origin["parents"][0]
        picture = parameter_picture(replace(child, name=""), knobs)
        gaps = {
            name: parameter_distance(picture, parameter_picture(TOY.freeze(p), knobs)) for name, p in parents.items()
        }
        near.append(min(gaps[name] for name in child.origin["parents"]))
        far.append(np.mean([gap for name, gap in gaps.items() if name not in child.origin["parents"]]))
    # Freezing a parent may bring its chance back, one switch.
    assert min(near) >= PARAMETER_TWINS - 1.0
    assert np.mean(near) < 0.6 * np.mean(far)


def test_a_crossover_of_vital_patches_takes_tables_with_their_oscillators():
    from menura.datasets.relatives import crossed

    first, second = (draw_preset(sampler_of("family", VITAL), VITAL, 0, index) for index in (0, 1))
    child = crossed(VITAL, first, second, ["oscillators", "modulations"])
    assert child.blocks["settings"]["wavetables"] == second.blocks["settings"]["wavetables"]
    assert child.routes == second.routes
    for name in VITAL.space.subset("oscillators").names:
        assert child.values[name] == second.values[name]
    for name in VITAL.space.subset("filters", "envelopes").names:
        assert child.values[name] == first.values[name]
    assert crossed(VITAL, first, second, []) == first


def test_the_fingerprint_follows_what_the_draws_depend_on(bank, tmp_path):
    uniform = fingerprint_of(sampler_of("uniform", TOY), TOY)
    assert uniform != fingerprint_of(sampler_of("sparse", TOY), TOY)
    assert uniform != fingerprint_of(sampler_of("uniform", VITAL), VITAL)
    (tmp_path / "0.toy").write_bytes((bank / "0.toy").read_bytes())
    here = fingerprint_of(sampler_of(f"mutate:{tmp_path}", TOY), TOY)
    (tmp_path / "1.toy").write_bytes((bank / "1.toy").read_bytes())
    assert here != fingerprint_of(sampler_of(f"mutate:{tmp_path}", TOY), TOY)


def test_twins_are_found_by_their_keys_and_the_first_stays():
    presets = [draw_preset(SAMPLERS.get("uniform"), TOY, 0, index) for index in (0, 1, 0, 2, 1)]
    knobs = knob_space(TOY.space)
    keys = [twin_key(parameter_picture(preset, knobs)) for preset in presets]
    assert repeats(keys) == [2, 4]
    turned = presets[0].with_values(level=presets[0].values["level"] + 0.3)
    assert twin_key(parameter_picture(turned, knobs)) != keys[0]


def test_parts_of_controls():
    assert [part_of(name) for name in ("osc_1_level", "filter_fx_on", "env_1_attack", "env_3_decay", "volume")] == [
        "osc_1",
        "filter_fx",
        "voice",
        "env_3",
        "voice",
    ]


def test_parents_of_a_crossover_are_of_one_part_of_the_split(tmp_path):
    for number in range(12):
        preset = draw_preset(sampler_of("uniform", TOY), TOY, 2, number)
        # Names of which all but those of one part come in twos or more.
        (tmp_path / f"{number}.toy").write_bytes(TOY.write(preset))
    names = [file.name for file in tmp_path.iterdir()]
    parts = {name: split_of(name) for name in names}
    several = {part for part in parts.values() if list(parts.values()).count(part) > 1}
    sampler = sampler_of(f"crossover:{tmp_path}", TOY)
    for index in range(20):
        first, second = draw_preset(sampler, TOY, 0, index).origin["parents"]
        assert first != second
        assert parts[first] == parts[second] or parts[first] not in several
