"""Starts for the DX7: family-wise draws and the target's partials, of which a forecast improves the promising.

Owns the way from draws to presets; renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from menura.matching.dx7.families import FAMILIES, Profile, draw
from menura.matching.dx7.forecast import Forecast, Picture
from menura.matching.dx7.partials import additive
from menura.matching.dx7.patch import HIGH, LOW, RANGES, Knobs, Wiring, nearest_ratio, patch, ratio_of
from menura.matching.forecasting import descend, spread
from menura.matching.idiom import Start
from menura.matching.target import Target, base_frequency
from menura.preset import Preset
from menura.synths.dx7.algorithms import algorithm
from menura.synths.dx7.controls import OPERATORS

DRAWS = 40
"""Draws of each family that the forecast looks at."""
IMPROVED = 12
"""Draws that are improved by the forecast a little, and a quarter of them thoroughly, ratios included."""
GENERATIONS = 32
POPULATION = 16
STEP = 0.12
"""First step of an improvement, a share of each knob's range."""
RATIOS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 14.0)
"""Ratios that are tried in an operator's stead."""

Found = tuple[float, Wiring, Knobs, str]
"""Loss of the forecast, patch, and the word for where it comes from."""


def dx7_starts(target: Target, base: Preset, rng: np.random.Generator, n: int) -> Iterator[Start]:
    """At most n starts: the likeliest draw at once, then, when the others are made, the most promising first.

    Args:
        target: The sound, its note and what was heard of it.
        base: What a patch does not set is taken from.
        rng: Where chance comes from.
        n: How many.
    """
    hertz = base_frequency(target)
    tune = 12.0 * float(np.log2(hertz / target.note.frequency_hz))
    forecast = Forecast(target, hertz)
    draws = _draws(target, hertz, forecast, rng)

    def start(found: Found, *more: str) -> Start:
        _, wiring, knobs, word = found
        return patch(wiring, knobs, base=base, tune=tune), (f"start:{word}", *more)

    picked = spread((word for *_, word in draws), IMPROVED)
    first = _improved(forecast, draws[picked[0]], rng)
    yield start(first, "forecast")
    improved = sorted([first, *(_improved(forecast, draws[place], rng) for place in picked[1:])], key=_loss)
    thorough = max(1, IMPROVED // 4)
    best = [_thoroughly(forecast, found, rng) for found in improved[:thorough]]
    ranked = [*sorted(best, key=_loss), *(found for found in improved[thorough:] if found is not first)]
    yield from (start(found, "forecast") for found in ranked[: n - 1])
    yield from map(start, draws[: max(0, n - 1 - len(ranked))])


def dx7_random(target: Target, base: Preset, rng: np.random.Generator, n: int) -> list[Preset]:
    """Random patches at the target's pitch: every knob uniform over its useful range, any algorithm, usual ratios.

    Carriers are drawn in the upper part of their range, so that no draw is silent.
    """
    tune = 12.0 * float(np.log2(base_frequency(target) / target.note.frequency_hz))
    presets: list[Preset] = []
    for _ in range(n):
        number = int(rng.integers(1, 33))
        knobs = LOW + rng.random(LOW.size) * (HIGH - LOW)
        for operator in algorithm(number).carriers:
            knobs[(operator - 1) * len(RANGES)] = rng.uniform(70.0, 99.0)
        knobs[-1] = float(rng.integers(8))
        wiring = Wiring(number, rng.choice(RATIOS, len(OPERATORS)))
        presets.append(patch(wiring, knobs, base=base, tune=tune))
    return presets


def improve(
    forecast: Forecast,
    wiring: Wiring,
    knobs: Knobs,
    rng: np.random.Generator,
    *,
    generations: int | None = None,
    step: float = STEP,
    correction: Picture | None = None,
) -> tuple[Knobs, float]:
    """Knobs that the forecast likes better, by separable CMA-ES, and their loss.

    Args:
        forecast: What judges.
        wiring: Algorithm and ratios, which stay.
        knobs: Where to begin, in the order of `patch.NAMES`.
        rng: Where chance comes from.
        generations: How long; None is `GENERATIONS`.
        step: First step, a share of each knob's range.
        correction: As in `Forecast.loss`.
    """

    def loss(rows: Knobs) -> NDArray[np.float64]:
        return forecast.loss([wiring], rows, correction)

    return descend(
        loss,
        knobs,
        (LOW, HIGH),
        rng,
        generations=GENERATIONS if generations is None else generations,
        step=step,
        population=POPULATION,
    )


def _draws(target: Target, hertz: float, forecast: Forecast, rng: np.random.Generator) -> list[Found]:
    """Everything that was drawn, the most promising first; the additive patch is always among the first."""
    profile = Profile.of(target)
    words: list[str] = []
    wirings: list[Wiring] = []
    rows: list[Knobs] = []
    for family in FAMILIES:
        drawn, knobs = draw(rng, family, profile, DRAWS)
        words += [family.name] * DRAWS
        wirings += drawn
        rows.extend(knobs)
    losses = forecast.loss(wirings, np.array(rows))
    order: list[int] = np.argsort(losses, kind="stable").tolist()
    found: list[Found] = [(float(losses[place]), wirings[place], rows[place], words[place]) for place in order]
    wiring, knobs = additive(target, hertz, profile)
    return [(float(forecast.loss([wiring], knobs[None])[0]), wiring, knobs, "partials"), *found]


def _loss(found: Found) -> float:
    return found[0]


def _improved(forecast: Forecast, found: Found, rng: np.random.Generator) -> Found:
    knobs, loss = improve(forecast, found[1], found[2], rng)
    return (loss, found[1], knobs, found[3])


def _thoroughly(forecast: Forecast, found: Found, rng: np.random.Generator) -> Found:
    """Knobs and ratios in turn."""
    best = found
    for operator in rng.permutation(len(OPERATORS)):
        wiring = _other_ratio(forecast, best, int(operator))
        knobs, loss = improve(forecast, wiring, best[2], rng, generations=GENERATIONS // 2, step=0.06)
        if loss < best[0]:
            best = (loss, wiring, knobs, best[3])
    knobs, loss = improve(forecast, best[1], best[2], rng, generations=2 * GENERATIONS, step=0.06)
    return (loss, best[1], knobs, best[3]) if loss < best[0] else best


def _other_ratio(forecast: Forecast, found: Found, operator: int) -> Wiring:
    """The wiring with the best other ratio of one operator, the knobs as they are."""
    _, wiring, knobs, _ = found
    here = float(wiring.ratios[operator])
    tried = [
        ratio
        for ratio in (*RATIOS, 0.5 * here, 1.5 * here, 2.0 * here, here + 0.01 * max(1.0, round(here)))
        if ratio != here
    ]
    others: list[Wiring] = []
    for ratio in tried:
        ratios = wiring.ratios.copy()
        ratios[operator] = ratio_of(*nearest_ratio(min(max(ratio, 0.5), 60.0)))
        others.append(Wiring(wiring.algorithm, ratios))
    losses = forecast.loss(others, np.repeat(knobs[None], len(others), axis=0))
    return others[int(np.argmin(losses))]
