"""How patches are laid out for networks: there and back, exchanged parts, and what is laid over what."""

from __future__ import annotations

import numpy as np
import pytest

from menura.datasets.sampling import draw_preset, sampler_of
from menura.errors import SpaceError
from menura.models.assignment import led_noise, nearest_arrangement
from menura.models.layout import Layout, fitted_layout, layout_of
from menura.synths.patches import PatchSpace, patch_space
from menura.synths.registry import synth_of


@pytest.fixture(scope="module")
def patches() -> PatchSpace:
    return patch_space(synth_of("vital"))


@pytest.fixture(scope="module")
def vectors(patches: PatchSpace) -> np.ndarray:
    vital = synth_of("vital")
    sampler = sampler_of("human", vital)
    return patches.space.encode_all(vital.freeze(draw_preset(sampler, vital, 5, index)) for index in range(48))


@pytest.fixture(scope="module")
def layout(patches: PatchSpace, vectors: np.ndarray) -> Layout:
    return fitted_layout(patches, vectors)


def test_a_table_and_a_shape_are_choices_like_any(patches: PatchSpace) -> None:
    vital, space = synth_of("vital"), patches.space
    vector = space.encode(vital.init())
    place = space["osc_2_table"].choices.index("Tilt Odd")
    vector[space.index("osc_2_table")] = place / (space["osc_2_table"].steps - 1)
    vector[space.index("lfo_3_shape")] = 1.0
    preset = space.decode(vector, vital.init())
    assert [block["name"] for block in preset.blocks["settings"]["wavetables"]] == ["Init", "Tilt Odd", "Init"]
    assert preset.blocks["settings"]["lfos"][2] != vital.init().blocks["settings"]["lfos"][2]
    assert np.array_equal(space.encode(preset), space.snap(vector))
    assert space.decode(vector, preset) is preset
    assert not {"osc_2_table", "lfo_3_shape"} & set(preset.values)
    assert vital.read(vital.write(preset)).blocks["settings"]["wavetables"][1]["name"] == "Tilt Odd"


@pytest.mark.parametrize("seed", range(3))
def test_the_laws_of_a_space_hold_with_blocks(patches: PatchSpace, seed: int) -> None:
    vital, space = synth_of("vital"), patches.space
    one, other = space.sample(np.random.default_rng(seed), 2)
    preset = space.decode(one, vital.init())
    assert np.array_equal(space.encode(preset), one)
    assert space.decode(other, preset) == space.decode(other, vital.init())


def test_a_space_without_slots_is_laid_out_too(rng: np.random.Generator) -> None:
    patches = patch_space(synth_of("dx7"))
    vectors = patches.space.sample(rng, 20)
    layout = fitted_layout(patches, vectors)
    assert layout.slots.count == 0
    np.testing.assert_allclose(layout.decode(layout.encode(vectors)), patches.space.snap(vectors), atol=1e-6)


def test_features_tell_all_of_a_patch_but_what_hardly_varies(layout: Layout, vectors: np.ndarray) -> None:
    features = layout.encode(vectors)
    again = layout.decode(features)
    plain = [layout.space.index(name) for name in layout.kept]
    assert np.array_equal(again[:, plain], layout.space.snap(vectors)[:, plain])
    assert np.array_equal(layout.encode(again), features)
    routes = [n for n, p in enumerate(layout.space.parameters) if p.field == "destination"]
    kept, there = (again[:, routes] > 0).sum(), (vectors[:, routes] > 0).sum()
    assert 0.85 * there < kept <= there


def test_a_layout_comes_back_from_its_record_and_of_another_space_it_does_not(layout: Layout) -> None:
    assert layout_of(patch_space(synth_of("vital")), layout.record()).fingerprint == layout.fingerprint
    with pytest.raises(SpaceError, match="train it anew"):
        layout_of(patch_space(synth_of("vital")), {**layout.record(), "fingerprint": "0" * 16})


def test_exchanged_oscillators_take_their_routes_with_them(layout: Layout, vectors: np.ndarray) -> None:
    features = layout.encode(vectors)
    swapped = layout.exchanged(features, "osc", [1, 0, 2])
    space = layout.space
    here, there = layout.decode(features), layout.decode(swapped)
    for role in ("level", "table", "wave_frame"):
        assert np.array_equal(here[:, space.index(f"osc_1_{role}")], there[:, space.index(f"osc_2_{role}")])
    choices = space["modulation_1_destination"].choices
    columns = [n for n, p in enumerate(space.parameters) if p.field == "destination"]

    def ends(found: np.ndarray, number: int) -> int:
        names = np.array(choices)[np.rint(found[:, columns] * (len(choices) - 1)).astype(int)]
        return int(np.char.startswith(names, f"osc_{number}_").sum())

    assert ends(here, 1) > ends(here, 2) != ends(here, 1)
    assert (ends(there, 1), ends(there, 2)) == (ends(here, 2), ends(here, 1))
    assert np.array_equal(layout.exchanged(swapped, "osc", [1, 0, 2]), features)


def test_the_truth_is_laid_over_a_guess_whatever_its_order(layout: Layout, vectors: np.ndarray) -> None:
    features = layout.encode(vectors)
    rng = np.random.default_rng(0)
    guess = features + 0.3 * rng.standard_normal(features.shape, dtype=np.float32)
    swapped = layout.exchanged(
        layout.exchanged(features, "osc", [2, 0, 1]), "lfo", [1, 0, *range(2, _copies(layout, "lfo"))]
    )
    one, other = (nearest_arrangement(layout, each, guess) for each in (features, swapped))
    errors = [float(np.square(each - guess).mean()) for each in (one, other)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)
    # What is left is the guess's own noise.
    assert errors[1] < 0.095 < float(np.square(swapped - guess).mean())


def test_noise_is_led_nearer_and_keeps_its_numbers(layout: Layout, vectors: np.ndarray) -> None:
    features = layout.encode(vectors)
    noise = np.random.default_rng(1).standard_normal(features.shape, dtype=np.float32)
    led = led_noise(layout, noise, features)
    assert np.array_equal(np.sort(led, axis=1), np.sort(noise, axis=1))
    assert np.square((led - features) * layout.weights).sum() < np.square((noise - features) * layout.weights).sum()


def _copies(layout: Layout, family: str) -> int:
    return len(layout.types[family])
