"""Starts for Vital: thousands of family-wise draws, of which a forecast keeps and improves the promising.

Owns the way from draws to presets; renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from menura.matching.deviations import least_deviations
from menura.matching.forecasting import spread
from menura.matching.idiom import Start
from menura.matching.target import Target, attack_of, base_frequency
from menura.matching.vital.forecast import Forecast
from menura.preset import Preset
from menura.synths.vital.families import FAMILIES, Profile, draw
from menura.synths.vital.voice import HIGH, INDEX, LOW, SOURCES, voice

DRAWS = 250
"""Draws of each family that the forecast looks at."""
IMPROVED = 30
"""Draws that are improved by the forecast a little."""
THOROUGH = 5
"""The best of these, which are improved thoroughly, tables included."""
TABLES = 3
"""Other tables of each oscillator that are tried then."""
ITERATIONS = 8
"""Of an improvement of a little; thorough ones have several times as many."""


def vital_starts(target: Target, base: Preset, rng: np.random.Generator, n: int) -> Iterator[Start]:
    """At most n starts: the likeliest draw at once, then, when the others are made, the most promising first.

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

    def start(found: Found, *lineage: str) -> Start:
        return voice(found[0], tuple(found[2]), base=base, tune=tune), lineage

    def one(index: int) -> tuple[Found, str]:
        return (*improve(forecast, knobs[index], sources[index]), sources[index]), f"start:{families[index]}"

    first = one(picked[0])
    yield start(*first, "forecast")
    improved = sorted([first, *map(one, picked[1:])], key=_loss)
    thorough = [(_thoroughly(forecast, found), family) for found, family in improved[:THOROUGH]]
    ranked_starts = [*sorted(thorough, key=_loss), *(each for each in improved[THOROUGH:] if each is not first)]
    yield from (start(*each, "forecast") for each in ranked_starts[: n - 1])
    drawn = order[: max(0, n - 1 - len(ranked_starts))]
    yield from (start((knobs[i], float(losses[i]), sources[i]), f"start:{families[i]}") for i in drawn)


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


Found = tuple[NDArray[np.float64], float, NDArray[np.int64]]
"""Knobs, the loss of their forecast, and sources."""


def _loss(item: tuple[Found, str]) -> float:
    return item[0][1]


def _thoroughly(forecast: Forecast, found: Found) -> Found:
    """Knobs and tables in turn."""
    best: Found = (*improve(forecast, found[0], found[2], iterations=2 * ITERATIONS), found[2])
    for oscillator in np.flatnonzero(best[2] >= 0):
        for changed, played in other_sources(forecast, best[0], best[2], int(oscillator), TABLES):
            better, loss = improve(forecast, changed, played)
            if loss < best[1]:
                best = (better, loss, played)
    return (*improve(forecast, best[0], best[2], iterations=4 * ITERATIONS), best[2])


def other_sources(
    forecast: Forecast, knobs: NDArray[np.float64], sources: NDArray[np.int64], oscillator: int, n: int
) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """The n best other sources of one oscillator (0 to 2), each at its best place, with the other knobs as they are."""
    places = np.linspace(16.0, 240.0, 5)
    others = np.array([index for index in range(len(SOURCES)) if index != sources[oscillator]])
    moved = np.repeat(knobs[None], others.size * places.size, axis=0)
    played = np.repeat(sources[None], others.size * places.size, axis=0)
    moved[:, INDEX[f"osc_{oscillator + 1}_wave_frame"]] = np.tile(places, others.size)
    played[:, oscillator] = np.repeat(others, places.size)
    losses = forecast.loss(moved, played).reshape(others.size, places.size)
    chosen = np.argsort(losses.min(axis=1), kind="stable")[:n]
    rows = [int(other) * places.size + int(losses[other].argmin()) for other in chosen]
    return [(moved[row], played[row]) for row in rows]


def improve(
    forecast: Forecast,
    knobs: NDArray[np.float64],
    sources: NDArray[np.int64],
    *,
    iterations: int = ITERATIONS,
    reach: float = 1.0,
    correction: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Knobs that the forecast likes better, and their loss.

    Args:
        forecast: What judges.
        knobs: Where to begin, in the order of `voice.KNOBS`.
        sources: What the oscillators play, shape (3,).
        iterations: As of `least_deviations`.
        reach: How far any knob may go, a share of its range.
        correction: As in `Forecast.loss`.
    """

    def predict(rows: NDArray[np.float64]) -> NDArray[np.float32]:
        return forecast.cells(rows, np.tile(sources, (len(rows), 1)), correction)

    goal, weights = forecast.goal, forecast.weights
    return least_deviations(predict, goal, weights, knobs, (LOW, HIGH), iterations=iterations, reach=reach)
