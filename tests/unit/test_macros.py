"""Every macro of Vital does what it says, measured on what the real engine plays of three kinds of patches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from macro_measures import MEASURES, RATE, crest, measured, noisiness
from menura.audio import Audio
from menura.errors import InputError
from menura.features.pitch import estimate_note
from menura.note import Note
from menura.preset import Preset
from menura.resynthesis import Resynthesis
from menura.synths.macros import macros_of, turned
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

VITAL = synth_of("vital")
NAMES = tuple(macro.name for macro in macros_of("vital"))
UNDONE = {"wider", "thicker", "roomier", "more_vibrato"}
"""A patch may have none of it: then it is first turned up, and what was added can be taken away."""


def breathy() -> Audio:
    time = np.arange(int(1.0 * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 220 * k * time + k) / k**1.5 for k in range(1, 12)) * np.minimum(time / 0.05, 1)
    held = np.where(time < 0.7, 1.0, np.exp(-(time - 0.7) * 18))
    return Audio(0.2 * (tone + np.random.default_rng(0).standard_normal(time.size) * 0.03) * held, RATE)


def plucked() -> Audio:
    time = np.arange(int(1.2 * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 110 * k * time + k) * np.exp(-(1.5 + k) * time) / k for k in range(1, 15)]
    return Audio(0.3 * np.sum(tones, axis=0), RATE)


def drawn(sound: Audio) -> Preset:
    estimate = estimate_note(sound)
    note = Note(round(estimate.pitch), hold=estimate.hold, total=estimate.total)
    return next(iter(Resynthesis(sound, note, estimate, np.random.default_rng(0)).drafts())).preset


def made_of_knobs() -> Preset:
    """A saw with some noise through a filter and an equalizer that is in use."""
    on = dict.fromkeys(("filter_1_on", "sample_on", "eq_on"), 1.0)
    eq = {"eq_band_cutoff": 72.0, "eq_band_gain": 2.7, "eq_high_gain": 9.0, "eq_low_gain": -4.0}
    return VITAL.init().with_values(
        **on, **eq, filter_1_cutoff=90.0, filter_1_filter_input=1.0, sample_level=0.15, env_1_sustain=0.7
    )


PRESETS = {"breathy": lambda: drawn(breathy()), "plucked": lambda: drawn(plucked()), "knobs": made_of_knobs}
NOTES = {"breathy": Note(57, 0.8, 0.7, 1.2), "plucked": Note(45, 0.8, 0.5, 1.2), "knobs": Note(57, 0.8, 0.7, 1.2)}


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    with RenderPool("vital") as running:
        yield running


@pytest.mark.parametrize("kind", PRESETS)
def test_each_macro_does_what_it_says(kind: str, pool: RenderPool) -> None:
    preset, note = PRESETS[kind](), NOTES[kind]
    wanted: list[tuple[Preset, Note]] = []
    for name in MEASURES:
        base = turned(preset, {name: 0.7}) if name in UNDONE else preset
        more = turned(preset, {name: 1.0})
        less = turned(base, {name: -1.0})
        wanted += [(VITAL.freeze(each), note) for each in (less, base, more)]
    sounds = [rendered.audio for rendered in pool.render_many(wanted)]
    assert all(sound is not None for sound in sounds)
    faults: list[str] = []
    for place, name in enumerate(MEASURES):
        less, base, more = (measured(name, sound, note) for sound in sounds[3 * place : 3 * place + 3] if sound)
        flat = kind == "breathy" and name == "longer_decay"  # what does not fall under the key cannot fall later
        if not less < base or not (base < more or flat):
            faults.append(f"{name}: {less:.3f} {base:.3f} {more:.3f}")
    assert not faults, "; ".join(faults)


@pytest.mark.parametrize("kind", ["breathy", "knobs"])
def test_cleaner_takes_noise_away_and_dirtier_drives(kind: str, pool: RenderPool) -> None:
    preset, note = PRESETS[kind](), NOTES[kind]
    clean, base, dirty = (
        rendered.audio
        for rendered in pool.render_many(
            [(VITAL.freeze(turned(preset, {"cleaner": amount})), note) for amount in (1.0, 0.0, -1.0)]
        )
    )
    assert clean is not None
    assert base is not None
    assert dirty is not None
    assert noisiness(clean, note) < noisiness(base, note) - 1.0
    assert crest(dirty, note) < crest(base, note) - 0.5


def test_every_macro_is_measured() -> None:
    assert {*MEASURES, "cleaner"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_at_rest_a_macro_changes_nothing_and_turned_it_stays_a_preset(name: str) -> None:
    preset = made_of_knobs()
    assert turned(preset, {name: 0.0}) is preset
    for amount in (-1.0, -0.01, 0.01, 1.0):
        moved = turned(preset, {name: amount})
        assert VITAL.read(VITAL.write(moved)) == moved  # and it is a preset that Vital opens
        assert moved.id == turned(preset, {name: amount}).id


def test_the_order_of_asking_changes_nothing() -> None:
    preset = made_of_knobs()
    assert turned(preset, {"wider": 0.5, "brighter": 0.5}) == turned(preset, {"brighter": 0.5, "wider": 0.5})


@pytest.mark.parametrize("amounts", [{"brigter": 0.5}, {"brighter": 1.5}, {"brighter": float("nan")}])
def test_what_is_no_macro_is_refused(amounts: dict[str, float]) -> None:
    with pytest.raises(InputError):
        turned(made_of_knobs(), amounts)


def test_a_synth_that_is_not_known_has_none() -> None:
    toy = synth_of("toy")
    assert macros_of("toy") == ()
    assert turned(toy.init(), {}) == toy.init()
