"""Starts for Vital: thousands of family-wise draws, of which a forecast keeps and improves the promising.

Owns the way from draws to presets; renders nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from menura.matching.forecasting import descend, spread
from menura.matching.idiom import Start
from menura.matching.target import Target, attack_of, base_frequency
from menura.matching.vital.forecast import Forecast
from menura.preset import Preset
from menura.synths.vital.families import FAMILIES, Profile, draw
from menura.synths.vital.voice import HIGH, INDEX, LOW, SOURCES, voice

DRAWS = 250
"""Draws of each family that the forecast looks at."""
IMPROVED = 20
"""Draws that are improved by the forecast a little, and a fifth of them thoroughly, tables included."""
GENERATIONS = 50
POPULATION = 16
STEP = 0.13
"""First step of an improvement, a share of each knob's range."""


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
    ranked: list[int] = order.tolist()
    picked = [ranked[place] for place in spread((families[index] for index in ranked), IMPROVED)]
    improved = [(_little(forecast, knobs[i], sources[i], rng), families[i]) for i in picked]
    improved.sort(key=_loss)
    thorough = len(improved) // 5
    again = [(_thoroughly(forecast, *found[:2], rng), family) for found, family in improved[:thorough]]
    starts: list[Start] = []
    for (better, played, _), family in [*sorted(again, key=_loss), *improved[thorough:]]:
        starts.append((voice(better, tuple(played), base=base, tune=tune), (f"start:{family}", "forecast")))
    for index in order[: max(0, n - len(starts))]:
        starts.append((voice(knobs[index], tuple(sources[index]), base=base, tune=tune), (f"start:{families[index]}",)))
    return starts[:n]


def random_patches(target: Target, base: Preset, rng: np.random.Generator, n: int) -> list[Preset]:
    """Random patches of the same wiring at the target's pitch: every knob uniform over its useful range, any table."""
    tune = 12.0 * np.log2(base_frequency(target) / target.note.frequency_hz)
    knobs = LOW + rng.random((n, LOW.size)) * (HIGH - LOW)
    sources = rng.integers(-1, len(SOURCES), (n, 3))
    return [voice(row, tuple(played), base=base, tune=tune) for row, played in zip(knobs, sources, strict=True)]


def _profile(target: Target) -> Profile:

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


Found = tuple[NDArray[np.float64], NDArray[np.int64], float]
"""Knobs, sources and the loss of their forecast."""


def _loss(item: tuple[Found, str]) -> float:
    return item[0][2]


def _little(
    forecast: Forecast, knobs: NDArray[np.float64], sources: NDArray[np.int64], rng: np.random.Generator
) -> Found:
    better, loss = improve(forecast, knobs, sources, rng)
    return better, sources, loss


def _thoroughly(
    forecast: Forecast, knobs: NDArray[np.float64], sources: NDArray[np.int64], rng: np.random.Generator
) -> Found:
    """Knobs and tables in turn."""
    best: Found = (knobs, sources, float(forecast.loss(knobs[None], sources[None])[0]))
    for oscillator in np.flatnonzero(best[1] >= 0):
        changed, played = other_source(forecast, best[0], best[1], int(oscillator))
        better, loss = improve(forecast, changed, played, rng, step=0.08)
        if loss < best[2]:
            best = (better, played, loss)
    better, loss = improve(forecast, best[0], best[1], rng, generations=3 * GENERATIONS, step=0.08)
    return (better, best[1], loss) if loss < best[2] else best


def other_source(
    forecast: Forecast,
    knobs: NDArray[np.float64],
    sources: NDArray[np.int64],
    oscillator: int,
    correction: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The best other source of one oscillator (0 to 2) and place in its table, with the other knobs as they are."""
    places = np.linspace(16.0, 240.0, 5)
    others = np.array([index for index in range(len(SOURCES)) if index != sources[oscillator]])
    moved = np.repeat(knobs[None], others.size * places.size, axis=0)
    played = np.repeat(sources[None], others.size * places.size, axis=0)
    moved[:, INDEX[f"osc_{oscillator + 1}_wave_frame"]] = np.tile(places, others.size)
    played[:, oscillator] = np.repeat(others, places.size)
    best = int(np.argmin(forecast.loss(moved, played, correction)))
    return moved[best], played[best]


def improve(
    forecast: Forecast,
    knobs: NDArray[np.float64],
    sources: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    generations: int = GENERATIONS,
    step: float = STEP,
    correction: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Knobs that the forecast likes better, by separable CMA-ES, and their loss.

    Args:
        forecast: What judges.
        knobs: Where to begin, in the order of `voice.KNOBS`.
        sources: What the oscillators play, shape (3,).
        rng: Where chance comes from.
        generations: How long.
        step: First step, a share of each knob's range.
        correction: As in `Forecast.loss`.
    """

    def loss(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return forecast.loss(rows, np.tile(sources, (len(rows), 1)), correction)

    return descend(loss, knobs, (LOW, HIGH), rng, generations=generations, step=step, population=POPULATION)
