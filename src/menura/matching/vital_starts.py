"""Starts for Vital: thousands of family-wise draws, of which a forecast keeps and improves the promising.

Owns the way from draws to presets; renders nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from menura.matching.families import FAMILIES, Profile, draw
from menura.matching.target import SAMPLE_RATE, Target
from menura.matching.vital_forecast import Forecast
from menura.matching.vital_voice import HIGH, LOW, voice
from menura.preset import Preset
from menura.search import CmaEs

DRAWS = 300
"""Draws of each family that the forecast looks at."""
IMPROVED = 10
"""Starts that are improved by the forecast, at least one of them of each of the best families."""
GENERATIONS = 110
POPULATION = 16

Start = tuple[Preset, tuple[str, ...]]


def vital_starts(target: Target, base: Preset, rng: np.random.Generator, n: int) -> list[Start]:
    """At most n starts, the most promising first.

    Args:
        target: The sound, its note and what was heard of it.
        base: What the patch does not set is taken from.
        rng: Where chance comes from.
        n: How many.
    """
    hertz = base_frequency(target)
    tune = 12.0 * np.log2(hertz / target.note.frequency_hz)
    forecast = Forecast(target, hertz)
    families, knobs, sources = _draws(target, rng)
    losses = forecast.loss(knobs, sources)
    order = np.argsort(losses, kind="stable")
    picked = _spread(order, families, IMPROVED)
    improved = [(*_improve(forecast, knobs[i], sources[i], rng), i) for i in picked]
    improved.sort(key=lambda found: found[1])
    starts: list[Start] = []
    for better, _, index in improved:
        lineage = (f"start:{families[index]}", "forecast")
        starts.append((voice(better, tuple(sources[index]), base=base, tune=tune), lineage))
    for index in order[: max(0, n - len(starts))]:
        starts.append((voice(knobs[index], tuple(sources[index]), base=base, tune=tune), (f"start:{families[index]}",)))
    return starts[:n]


def random_patches(target: Target, base: Preset, rng: np.random.Generator, n: int) -> list[Preset]:
    """Random patches of all families in turn, informed by the ear but by no forecast."""
    tune = 12.0 * np.log2(base_frequency(target) / target.note.frequency_hz)
    found: list[Preset] = []
    profile = _profile(target)
    for index in range(n):
        knobs, sources = draw(rng, FAMILIES[index % len(FAMILIES)], profile, 1)
        found.append(voice(knobs[0], tuple(sources[0]), base=base, tune=tune))
    return found


def base_frequency(target: Target) -> float:
    """What the oscillators play: the note's own fundamental, or an unpitched sound's strongest partial."""
    if target.estimate.pitched:
        hertz = target.estimate.fundamental_hz
        # A fundamental far from the key that the user has named is a mishearing.
        return hertz if abs(np.log2(hertz / target.note.frequency_hz)) < 0.08 else target.note.frequency_hz
    mono = target.audio.mono
    spectrum = np.abs(np.fft.rfft(mono[: SAMPLE_RATE // 2] * np.hanning(min(mono.size, SAMPLE_RATE // 2))))
    hertz = np.fft.rfftfreq(min(mono.size, SAMPLE_RATE // 2), 1.0 / SAMPLE_RATE)
    usable = (hertz > 40.0) & (hertz < 4000.0)
    return float(hertz[usable][int(np.argmax(spectrum[usable]))])


def _profile(target: Target) -> Profile:
    from menura.matching.starts import attack_of

    return Profile(attack_of(target), target.estimate.sustaining, target.estimate.pitched)


def _draws(target: Target, rng: np.random.Generator) -> tuple[list[str], NDArray[np.float64], NDArray[np.int64]]:
    profile = _profile(target)
    names: list[str] = []
    knobs: list[NDArray[np.float64]] = []
    sources: list[NDArray[np.int64]] = []
    for family in FAMILIES:
        # A family that lasts where the target dies away (or the other way round) is looked at less.
        count = DRAWS if family.sustains in (None, profile.sustains) else DRAWS // 3
        drawn, played = draw(rng, family, profile, count)
        names += [family.name] * count
        knobs.append(drawn)
        sources.append(played)
    return names, np.concatenate(knobs), np.concatenate(sources)


def _spread(order: NDArray[np.int64], families: list[str], n: int) -> list[int]:
    """The first n in order, but no family more than a third of them."""
    taken: dict[str, int] = {}
    found: list[int] = []
    for index in order:
        family = families[index]
        if taken.get(family, 0) < max(1, n // 3):
            taken[family] = taken.get(family, 0) + 1
            found.append(int(index))
        if len(found) == n:
            break
    return found


def _improve(
    forecast: Forecast, knobs: NDArray[np.float64], sources: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """CMA-ES on the forecast."""
    span = HIGH - LOW
    search = CmaEs((knobs - LOW) / span, rng, sigma=0.13, population=POPULATION, diagonal=True)
    for _ in range(GENERATIONS):
        vectors = search.ask(POPULATION)
        if not len(vectors):
            break
        search.tell(vectors, forecast.loss(LOW + vectors * span, np.tile(sources, (len(vectors), 1))))
    vector, loss = search.best
    return LOW + vector * span, loss
