"""Which of several interchangeable things is meant by which: parts of a family, and slots, laid over each other.

A patch is the same patch when two oscillators are exchanged and their routes with them, or when two slots are. So a
prediction is compared with that arrangement of the truth which is nearest to it, and noise is led to the arrangement of
the truth that it is nearest to. Source: Carion et al., "End-to-end object detection with transformers", 2020 (losses of
sets); Klein et al., "Equivariant flow matching", 2023 (noise led so).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from menura.models.layout import Features, Index, Layout


def nearest_arrangement(layout: Layout, truth: Features, guess: NDArray[np.floating]) -> Features:
    """The truth with parts and slots in the order in which it is nearest to a guess, shape (n, width).

    First the parts of each family are laid over those of the guess, routes going with them, then the slots.

    Args:
        layout: of the features.
        truth: features of patches, shape (n, width).
        guess: expected features, of the same shape.
    """
    found = truth
    for family, rows in layout.types.items():
        if len(rows) > 1:
            orders = _orders(found[:, rows], guess[:, rows], layout.weights[rows[0]])
            found = exchanged_each(layout, found, family, orders)
    if layout.slots.count:
        rows = slot_rows(layout)
        orders = _orders(found[:, rows], guess[:, rows], layout.weights[rows[0]])
        found = found.copy()
        found[:, rows] = np.take_along_axis(found[:, rows], orders[:, :, None], axis=1)
    return found


def led_noise(layout: Layout, noise: Features, truth: Features) -> Features:
    """The noise with the features of parts, and slots, in the order in which it is nearest to the truth."""
    found = noise.copy()
    groups = [rows for rows in layout.types.values() if len(rows) > 1]
    if layout.slots.count:
        groups.append(slot_rows(layout))
    for rows in groups:
        orders = _orders(noise[:, rows], truth[:, rows], layout.weights[rows[0]])
        found[:, rows] = np.take_along_axis(noise[:, rows], orders[:, :, None], axis=1)
    return found


def exchanged_each(layout: Layout, features: Features, family: str, orders: Index) -> Features:
    """As `Layout.exchanged`, each patch in an order of its own, shape (n, parts)."""
    index = np.tile(np.arange(layout.width), (len(features), 1))
    rows = layout.types[family]
    index[:, rows] = rows[orders]
    members = [number for number, part in enumerate(layout.parts) if part.family == family]
    for ends, pointers in ((layout.slots.sources, 1), (layout.slots.destinations, 3)):
        if not layout.slots.count or not set(members) & set(ends.parts):
            continue
        columns = layout.slots.choices[pointers][:, [ends.parts.index(member) for member in members]]
        index[:, columns] = columns[:, orders].transpose(1, 0, 2)
    return np.take_along_axis(features, index, axis=1)


def slot_rows(layout: Layout) -> Index:
    """All features of each slot, shape (slots, width of a slot)."""
    return np.concatenate([layout.slots.scalars, *layout.slots.choices], axis=1)


def _orders(moved: NDArray[np.floating], fixed: NDArray[np.floating], weights: NDArray[np.floating]) -> Index:
    """For each place of `fixed` which of `moved` comes there, shape (n, count); both of shape (n, count, width)."""
    a, b = moved * weights, fixed * weights
    # What is alike in all orders is left out of the squared distances.
    costs = -np.matmul(b, a.transpose(0, 2, 1))
    return np.stack([linear_sum_assignment(cost)[1] for cost in costs]).astype(np.int64)
