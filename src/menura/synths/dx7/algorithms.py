"""The DX7's 32 algorithms as data: which operator modulates which, which are heard, which could change places.

Owns the graphs; knows no engine. "6543 21 f66" reads: operator 6 modulates 5, 5 modulates 4, 4 modulates 3; 2
modulates 1; feedback leads from 6 into 6. An operator that modulates none is a carrier: it is heard.

Source: the drawings on the instrument's panel (Yamaha, DX7 Operating Manual, "Algorithms").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from menura.errors import PresetError
from menura.preset import Preset
from menura.synths.dx7.controls import OPERATOR_FIELDS, OPERATORS

_DRAWN = (
    "6543 21 f66",
    "6543 21 f22",
    "654 321 f66",
    "654 321 f46",
    "65 43 21 f66",
    "65 43 21 f56",
    "653 43 21 f66",
    "653 43 21 f44",
    "653 43 21 f22",
    "64 54 321 f33",
    "64 54 321 f66",
    "63 53 43 21 f22",
    "63 53 43 21 f66",
    "643 54 21 f66",
    "643 54 21 f22",
    "651 431 21 f66",
    "651 431 21 f22",
    "6541 31 21 f33",
    "65 64 321 f66",
    "64 54 32 31 f33",
    "65 64 32 31 f33",
    "65 64 63 21 f66",
    "65 64 32 1 f66",
    "65 64 63 2 1 f66",
    "65 64 3 2 1 f66",
    "64 54 32 1 f66",
    "64 54 32 1 f33",
    "6 543 21 f55",
    "65 43 2 1 f66",
    "6 543 2 1 f55",
    "65 4 3 2 1 f66",
    "6 5 4 3 2 1 f66",
)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How six operators are wired."""

    number: int
    """1 to 32, as on the panel; the stored value is one less."""
    edges: frozenset[tuple[int, int]]
    """(modulator, modulated), operators from 1."""
    feedback: tuple[int, int]
    """Where feedback leaves and where it enters."""

    @property
    def carriers(self) -> tuple[int, ...]:
        """Operators that are heard."""
        busy = {source for source, _ in self.edges}
        return tuple(number for number in OPERATORS if number not in busy)

    def modulators(self, operator: int) -> tuple[int, ...]:
        """Operators that modulate this one, feedback not counted."""
        return tuple(sorted(source for source, target in self.edges if target == operator))


@cache
def algorithm(number: int) -> Algorithm:
    """The algorithm with this number on the panel, 1 to 32.

    Raises:
        PresetError: there is none.
    """
    if not 1 <= number <= len(_DRAWN):
        raise PresetError(f"DX7 algorithm {number}; give 1 to {len(_DRAWN)}")
    *chains, loop = _DRAWN[number - 1].split()
    edges = {(int(chain[at]), int(chain[at + 1])) for chain in chains for at in range(len(chain) - 1)}
    return Algorithm(number, frozenset(edges), (int(loop[1]), int(loop[2])))


@cache
def interchangeable(number: int, *, feedback: bool = True) -> tuple[tuple[int, ...], ...]:
    """The ways in which operators can change places without a change of the sound.

    Args:
        number: of the algorithm, 1 to 32.
        feedback: False for voices without feedback, where one more operator is like its neighbours.

    Returns:
        Permutations, the plain order first: place i of one names the operator whose settings operator i + 1 takes.

    Raises:
        PresetError: there is no such algorithm.
    """
    found = algorithm(number)

    def same(order: tuple[int, ...]) -> bool:
        def to(operator: int) -> int:
            return order[operator - 1]

        looped = (to(found.feedback[0]), to(found.feedback[1])) == found.feedback
        return (looped or not feedback) and frozenset((to(a), to(b)) for a, b in found.edges) == found.edges

    return tuple(order for order in permutations(OPERATORS) if same(order))


def permuted(preset: Preset, order: tuple[int, ...]) -> Preset:
    """The preset whose operator i + 1 has the settings of operator order[i].

    Raises:
        PresetError: the order is no permutation of 1 to 6.
    """
    if sorted(order) != list(OPERATORS):
        raise PresetError(f"order of operators {order}; give each of 1 to 6 once")
    values: Mapping[str, float] = preset.values
    moved = {
        f"op{place}_{field}": values[f"op{source}_{field}"]
        for place, source in enumerate(order, 1)
        for field in OPERATOR_FIELDS
        if f"op{source}_{field}" in values
    }
    return preset.with_values(**moved)


def wiring(number: int) -> NDArray[np.bool_]:
    """The algorithm as a matrix, shape (6, 6): [i, j] is True where operator i + 1 modulates operator j + 1."""
    found = np.zeros((len(OPERATORS), len(OPERATORS)), np.bool_)
    for source, target in algorithm(number).edges:
        found[source - 1, target - 1] = True
    return found
