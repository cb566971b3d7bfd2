"""The DX7 sounds as one does: pitches, ratios, levels, carriers, algorithms, chance, the same in every process."""

from __future__ import annotations

import ctypes
import os
from itertools import pairwise

import numpy as np
import pytest

from menura.errors import EngineError, PresetError
from menura.note import Note
from menura.preset import Preset
from menura.synths.dx7 import hexter as binding
from menura.synths.dx7.algorithms import algorithm, interchangeable, permuted, wiring
from menura.synths.dx7.controls import OPERATORS, SAMPLE_AND_HOLD, control_of, controls
from menura.synths.dx7.hexter import find_hexter, hexter
from menura.synths.dx7.synth import Dx7, voice_of
from menura.synths.pool import RenderPool

DX7 = Dx7()
RATE = 44_100
NOTE = Note(69.0, 0.8, 0.5, 0.5)
needs_engine = pytest.mark.skipif(
    find_hexter() is None and not os.environ.get("CI"), reason="hexter is not installed: apt install hexter"
)


def pitch_of(sound: np.ndarray, sample_rate: int = RATE) -> float:
    size = 16 * sound.size
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), size))
    return float(np.argmax(spectrum) * sample_rate / size)


def heard(preset: Preset, note: Note = NOTE) -> np.ndarray:
    return DX7.render(preset, note).samples[0]


def drawn(rng: np.random.Generator, **values: float) -> Preset:
    """A voice in which every operator is audible and different, with modulations that are not too deep to compare."""
    found = DX7.space.decode(DX7.space.sample(rng, 1)[0], DX7.init())
    levels = {f"op{number}_output_level": float(rng.integers(60, 90)) for number in OPERATORS}
    starts = {f"op{number}_{field}": 99.0 for number in OPERATORS for field in ("rate_1", "level_1", "level_2")}
    return DX7.freeze(found).with_values(**levels, **starts, **values)


@pytest.mark.skipif(not os.environ.get("CI"), reason="a user's machine may go without hexter; CI may not")
def test_continuous_integration_has_the_engine() -> None:
    assert find_hexter(), "CI runs without hexter: every test of DX7 sound would be skipped unseen"


# ---------------------------------------------------------------------- pitch and level


@needs_engine
@pytest.mark.parametrize(
    ("values", "hertz"),
    [
        ({}, 440.0),
        ({"op1_coarse": 2.0}, 880.0),
        ({"op1_coarse": 0.0}, 220.0),
        ({"op1_fine": 50.0}, 660.0),
        ({"transpose": 12.0}, 220.0),
        ({"op1_mode": 1.0, "op1_coarse": 2.0}, 100.0),
        ({"op1_mode": 1.0, "op1_coarse": 3.0, "op1_fine": 30.0}, 1995.3),
        ({f"pitch_level_{stage}": 51.0 for stage in (1, 2, 3, 4)}, 440.0 * 2 ** (1 / 32)),
    ],
)
def test_a4_and_its_ratios(values: dict[str, float], hertz: float) -> None:
    assert pitch_of(heard(DX7.init().with_values(**values))) == pytest.approx(hertz, rel=1e-3)


@needs_engine
def test_a_fraction_of_a_key_leaves_fixed_frequencies_alone() -> None:
    fixed = DX7.init().with_values(op1_mode=1.0, op1_coarse=2.0, op1_fine=60.0)
    assert pitch_of(heard(fixed)) == pytest.approx(pitch_of(heard(fixed, Note(69.4, 0.8, 0.5, 0.5))), rel=1e-5)


@needs_engine
@pytest.mark.parametrize("sample_rate", [22_050, 48_000, 96_000])
def test_pitch_does_not_depend_on_the_sample_rate(sample_rate: int) -> None:
    sound = DX7.render(DX7.init(), NOTE, sample_rate=sample_rate).samples[0]
    assert pitch_of(sound, sample_rate) == pytest.approx(440.0, rel=1e-3)


@needs_engine
def test_a_lower_output_level_is_quieter() -> None:
    peaks = [np.abs(heard(DX7.init().with_values(op1_output_level=float(level)))).max() for level in (99, 90, 70, 40)]
    assert all(quieter < 0.8 * louder for louder, quieter in pairwise(peaks))
    # About 0.75 dB for each step of the upper range, as on the instrument.
    assert 20 * np.log10(peaks[0] / peaks[1]) == pytest.approx(9 * 0.75, abs=0.3)


@needs_engine
def test_the_key_is_let_go_where_the_note_says() -> None:
    preset = DX7.init()
    for hold in (0.1, 0.2503):
        sound = heard(preset, Note(69.0, 0.8, hold, 0.5))
        last = int(np.flatnonzero(np.abs(sound) > 1e-3)[-1])
        assert round(hold * RATE) <= last < round(hold * RATE) + 600
    np.testing.assert_array_equal(heard(preset, Note(69.0, 0.8, 0.5, 0.5)), heard(preset, Note(69.0, 0.8, 3.0, 0.5)))


# ---------------------------------------------------------------------- algorithms


@needs_engine
@pytest.mark.parametrize("number", range(1, 33))
def test_carriers_alone_are_heard_and_wires_carry(number: int) -> None:
    silent = DX7.init().with_values(algorithm=float(number - 1), op1_output_level=0.0)
    note = Note(57.0, 0.8, 0.1, 0.1)
    plan = algorithm(number)
    for operator in OPERATORS:
        alone = silent.with_values(**{f"op{operator}_output_level": 99.0})
        assert (np.abs(heard(alone, note)).max() > 0.01) == (operator in plan.carriers)
    for source, target in sorted(plan.edges):
        if target not in plan.carriers:
            continue
        bare = silent.with_values(**{f"op{target}_output_level": 99.0})
        driven = bare.with_values(**{f"op{source}_output_level": 80.0})
        assert np.abs(heard(driven, note) - heard(bare, note)).max() > 0.05
    looped = silent.with_values(feedback=7.0, **{f"op{operator}_output_level": 75.0 for operator in OPERATORS})
    assert np.abs(heard(looped, note) - heard(looped.with_values(feedback=0.0), note)).max() > 1e-3


@needs_engine
@pytest.mark.parametrize("number", range(1, 33))
def test_operators_that_can_change_places_sound_the_same(number: int, rng: np.random.Generator) -> None:
    note = Note(50.0, 0.7, 0.1, 0.15)
    # hexter 1.1.1 ends a voice of algorithm 32 without looking at operator 5, so none may fade here.
    held = {f"op{operator}_level_{stage}": 99.0 for operator in OPERATORS for stage in (3, 4) if number == 32}
    for feedback in (True, False):
        preset = drawn(rng, algorithm=float(number - 1), feedback=7.0 if feedback else 0.0, **held)
        orders = interchangeable(number, feedback=feedback)
        assert orders[0] == OPERATORS
        for order in [orders[int(place)] for place in rng.integers(len(orders), size=min(3, len(orders)))]:
            np.testing.assert_array_equal(heard(permuted(preset, order), note), heard(preset, note))


@needs_engine
def test_operators_that_cannot_change_places_sound_different(rng: np.random.Generator) -> None:
    for number in (1, 5, 16, 22):
        preset = drawn(rng, algorithm=float(number - 1), feedback=6.0)
        allowed = set(interchangeable(number))
        others = [order for order in ((2, 1, 3, 4, 5, 6), (1, 2, 3, 4, 6, 5)) if order not in allowed]
        assert others
        for order in others:
            assert np.abs(heard(permuted(preset, order)) - heard(preset)).max() > 1e-3


def test_how_many_ways_there_are() -> None:
    assert len(interchangeable(32)) == 120  # operator 6 has the feedback
    assert len(interchangeable(32, feedback=False)) == 720
    assert len(interchangeable(5)) == 2
    assert len(interchangeable(5, feedback=False)) == 6
    assert len(interchangeable(1)) == 1
    assert {algorithm(number).carriers for number in (1, 16, 32)} == {(1, 3), (1,), OPERATORS}
    assert algorithm(7).modulators(3) == (4, 5)
    assert wiring(1).sum() == 4
    for number in (0, 33):
        with pytest.raises(PresetError, match="give 1 to 32"):
            algorithm(number)
    with pytest.raises(PresetError, match="each of 1 to 6 once"):
        permuted(DX7.init(), (1, 1, 2, 3, 4, 5))


# ---------------------------------------------------------------------- chance


@needs_engine
def test_freezing_takes_chance_away() -> None:
    voice = DX7.init().with_values(
        lfo_wave=SAMPLE_AND_HOLD, lfo_speed=70.0, lfo_pitch_depth=99.0, pitch_mod_sensitivity=7.0, oscillator_sync=0.0
    )
    frozen = DX7.freeze(voice)
    assert frozen.values["lfo_wave"] != SAMPLE_AND_HOLD
    assert frozen.values["oscillator_sync"] == 1.0
    assert DX7.freeze(frozen) is frozen

    def played(preset: Preset, seed: int) -> np.ndarray:
        return hexter().play(voice_of(preset), NOTE, RATE, seed=seed)

    assert np.abs(played(voice, 1) - played(voice, 2)).max() > 0.1
    np.testing.assert_array_equal(played(frozen, 1), played(frozen, 2))
    np.testing.assert_array_equal(played(voice, 1), played(voice, 1))


@needs_engine
def test_the_process_keeps_its_own_random_numbers() -> None:
    library = ctypes.CDLL(None)
    library.srand(7)
    expected = [library.rand() for _ in range(4)]
    library.srand(7)
    first = [library.rand() for _ in range(2)]
    heard(DX7.init().with_values(lfo_wave=SAMPLE_AND_HOLD, lfo_speed=99.0))
    assert first + [library.rand() for _ in range(2)] == expected


@needs_engine
def test_a_voice_does_not_hear_what_was_played_before(rng: np.random.Generator) -> None:
    # Feedback and phases that run on are what the engine leaves in its memory.
    voices = [drawn(rng, feedback=7.0).with_values(oscillator_sync=0.0, lfo_wave=SAMPLE_AND_HOLD) for _ in range(20)]
    note = Note(57.0, 0.8, 0.1, 0.2)
    first = [heard(voice, note) for voice in voices]
    for voice, sound in reversed(list(zip(voices, first, strict=True))):
        np.testing.assert_array_equal(heard(voice, note), sound)
    # Other processes, another order, other workers.
    with RenderPool("dx7", workers=2) as pool:
        answers = pool.render_many([(voice, note) for voice in reversed(voices)])
    for answer, sound in zip(reversed(answers), first, strict=True):
        assert answer.audio is not None
        np.testing.assert_array_equal(answer.audio.samples, np.stack([sound, sound]))


def soil(fill: int) -> None:
    """Leaves freed memory behind that is full of one byte, where the engine will allocate its voices."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = (ctypes.c_size_t,)
    library.free.argtypes = (ctypes.c_void_p,)
    taken = [(library.malloc(size), size) for size in range(640, 1040, 16) for _ in range(8)]
    for place, size in taken:
        ctypes.memset(place, fill, size)
    for place, _ in taken:
        library.free(place)


@needs_engine
@pytest.mark.parametrize("settled", [True, False])
def test_what_lies_in_memory_is_not_heard(monkeypatch: pytest.MonkeyPatch, settled: bool) -> None:
    voice = DX7.init().with_values(feedback=7.0, algorithm=31.0, oscillator_sync=0.0, op6_output_level=99.0)
    if not settled:
        # Otherwise the test would pass whatever the settling does. (The memory's layout is glibc's.)
        monkeypatch.setattr(binding.Hexter, "_settle", lambda *_: None)
    engine, stored, sounds = hexter(), voice_of(voice), []
    for fill in (0, 0x37, 0x92):
        soil(fill)  # and nothing in between that might take the soiled memory
        sounds.append(engine.play(stored, NOTE, RATE))
    difference = max(np.abs(sound - sounds[0]).max() for sound in sounds)
    assert (difference == 0.0) == settled


# ---------------------------------------------------------------------- finding the engine, and words


def test_an_absent_engine_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("MENURA_HEXTER", str(tmp_path / "hexter.so"))
    hexter.cache_clear()
    try:
        with pytest.raises(EngineError, match="apt install hexter"):
            DX7.render(DX7.init())
        assert Dx7().version == "hexter absent (apt install hexter)"
        assert DX7.read(DX7.write(DX7.init())) == DX7.init()
    finally:
        hexter.cache_clear()


def test_another_file_is_no_engine(tmp_path) -> None:
    (tmp_path / "hexter.so").write_bytes(b"no library")
    assert find_hexter({"MENURA_HEXTER": str(tmp_path)}) == tmp_path / "hexter.so"
    with pytest.raises(EngineError, match="cannot be loaded as a DSSI plug-in"):
        binding.Hexter(tmp_path / "hexter.so")


def test_plug_in_folders_follow_the_environment(tmp_path) -> None:
    (tmp_path / "hexter.so").touch()
    assert find_hexter({"DSSI_PATH": os.pathsep.join(("nowhere", str(tmp_path)))}) == tmp_path / "hexter.so"
    assert find_hexter({"DSSI_PATH": "nowhere"}) is None
    assert find_hexter({"DSSI_PATH": str(tmp_path), "MENURA_HEXTER": "nowhere"}) is None


def test_controls_say_what_the_display_says() -> None:
    assert len(controls()) == 145
    assert control_of("op3_detune").shown(4.0) == "-3"
    assert control_of("transpose").shown(24.0) == "+0"
    assert control_of("algorithm").shown(4.0) == "5"
    assert control_of("op1_output_level").shown(99.0) == "99"
    assert control_of("lfo_wave").shown(SAMPLE_AND_HOLD) == "sample and hold"


def test_the_space_has_the_operators_as_groups() -> None:
    assert DX7.space.dim == 145
    assert [len(DX7.space.subset(group)) for group in DX7.space.groups] == [21] * 6 + [8, 7, 4]
    assert {parameter.name for parameter in DX7.space.of_kind("toggle").parameters} == {"oscillator_sync", "lfo_sync"}
    assert DX7.space.of_kind("choice").dim == 2 + 3 * 6
    with pytest.raises(PresetError, match="routes and blocks"):
        DX7.write(Preset("dx7", {}, blocks={"extra": 1}))
