"""How far an answer's knobs are from those that made the target. Knows no sound.

Diagnostic only. Different knobs make the same sound: two oscillators change places, a filter opens while the wave gets
duller, a control of a silent part may stand anywhere. An answer that sounds right can be far off here, and one that is
near here can sound wrong; Hayes et al. 2025 show how averaging over such symmetries misleads. Never rank arms by it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from menura.preset import Preset, Route
from menura.space import ParameterSpace

Ends = tuple[str, str]


def parameter_errors(
    target: Preset, answer: Preset, space: ParameterSpace, *, active: Collection[str] = ()
) -> dict[str, float | None]:
    """Errors of an answer's parameters by kind.

    Args:
        target: The preset that made the target.
        answer: Of the same synth.
        space: Which parameters are compared, and their ranges. Modulation slots are compared as routes, since the
            slot that holds a route means nothing.
        active: Names of continuous parameters that shape the target's sound, for a second error over these alone,
            such as ``menura.matching.lens.active_lens(synth, target).names``.

    Returns:
        ``continuous_l1`` and ``active_continuous_l1`` (mean absolute difference of positions on the knob, 0 to 1);
        ``toggle_accuracy`` and ``choice_accuracy`` (share that is equal); ``route_precision``, ``route_recall`` and
        ``route_f1`` (of pairs of source and destination that move something); ``route_amount_l1`` (over matched
        routes, of half the difference, so that it is a share of the range as well). None where there is nothing to
        compare.

    Raises:
        SpaceError: a preset is of another synth than the space.

    Source: Combes et al. 2025, section 7.1 (numerical L1, binary and categorical accuracy); routes are ours.
    """
    found = vector_errors(space.encode(target), space.encode(answer), space, active=active)
    return {**found, **route_errors(target.routes, answer.routes)}


def vector_errors(
    target: NDArray[np.floating], answer: NDArray[np.floating], space: ParameterSpace, *, active: Collection[str] = ()
) -> dict[str, float | None]:
    """The part of `parameter_errors` that coordinates tell: all but the routes; slots are left out.

    Args:
        target: snapped coordinates, shape (space.dim,).
        answer: snapped coordinates of the same shape.
        space: of both.
        active: as of `parameter_errors`.
    """
    difference = np.abs(np.asarray(target, dtype=np.float64) - np.asarray(answer, dtype=np.float64))
    scalar = np.array([not parameter.slot for parameter in space.parameters], dtype=bool)
    kinds = np.array([parameter.kind for parameter in space.parameters], dtype=object)
    wanted = frozenset(active)
    chosen = np.array([parameter.name in wanted for parameter in space.parameters], dtype=bool)
    # Two positions of a toggle or a choice are at least 1 / steps apart; equal ones are equal to the last bit.
    equal = difference == 0.0
    return {
        "continuous_l1": _mean(difference[scalar & (kinds == "continuous")]),
        "active_continuous_l1": _mean(difference[scalar & chosen & (kinds == "continuous")]),
        "toggle_accuracy": _mean(equal[scalar & (kinds == "toggle")]),
        "choice_accuracy": _mean(equal[scalar & (kinds == "choice")]),
    }


def route_errors(
    target: Collection[Route], answer: Collection[Route], role: Callable[[str], str] = str
) -> dict[str, float | None]:
    """Precision, recall, F1 and error of the amounts, over routes by their ends.

    A route counts where both ends are named, it is not bypassed and its amount is not 0. Routes of the same ends are
    matched so that the amounts differ least.

    Args:
        target: routes of the preset that made the target.
        answer: routes of the answer.
        role: what the name of an end is compared as; as it is by default, or `menura.models.slot_features.Roles.of`,
            for which all LFOs, and all oscillators, are the same.
    """
    ours, theirs = _amounts(target, role), _amounts(answer, role)
    in_target, in_answer = _count(ours), _count(theirs)
    both = in_target & in_answer
    matched, wanted, given = both.total(), in_target.total(), in_answer.total()
    amounts = [error for ends in both for error in _matched(ours[ends], theirs[ends])]
    return {
        "route_precision": matched / given if given else None,
        "route_recall": matched / wanted if wanted else None,
        "route_f1": 2.0 * matched / (wanted + given) if wanted + given else None,
        "route_amount_l1": _mean(np.array(amounts)),
    }


def _amounts(routes: Collection[Route], role: Callable[[str], str]) -> dict[Ends, list[float]]:
    found: defaultdict[Ends, list[float]] = defaultdict(list)
    for route in routes:
        if route.connected and not route.bypass and route.amount:
            found[role(route.source), role(route.destination)].append(float(route.amount))
    return found


def _count(amounts: dict[Ends, list[float]]) -> Counter[Ends]:
    return Counter({ends: len(found) for ends, found in amounts.items()})


def _matched(first: list[float], second: list[float]) -> list[float]:
    """Half the differences of the amounts, of the cheapest pairing of as many as both have."""
    costs = 0.5 * np.abs(np.subtract.outer(first, second))
    return [float(cost) for cost in costs[linear_sum_assignment(costs)]]


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if values.size else None
