"""How much work a match may do. Owns the limits and their running count; knows no synth."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Flag
from typing import Literal

from menura.errors import InputError

StoppedBy = Literal["stages", "renders", "seconds", "cancelled"]
"""What ended a run: the stages had no more to do, a limit was reached, or the user stopped it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one match: renders first, because they are reproducible, seconds as a ceiling.

    Raises:
        InputError: if a limit is not above 0.
    """

    renders: int = 200
    """Renders of the engine, those that check the final answers included."""
    seconds: float = 120.0
    """Wall-clock ceiling; `math.inf` is none, and then the result depends on the seed alone."""

    def __post_init__(self) -> None:
        if self.renders < 1 or math.isnan(self.seconds) or self.seconds <= 0:
            raise InputError(
                f"a budget of {self.renders} renders and {self.seconds} s leaves nothing to do; give more than 0"
            )

    def start(self, *, cancel: Flag | None = None, clock: Callable[[], float] = time.monotonic) -> Account:
        """Begin to count."""
        return Account(self, cancel, clock)


class Account:
    """The running count of one match; every stage of it draws on the same account.

    A stage asks `grant(n)` before it renders, and is told how many of them it may do. What it is granted
    counts as spent. `reserve` keeps renders back for the last stage, and `release` gives them free.
    """

    def __init__(self, budget: Budget, cancel: Flag | None, clock: Callable[[], float]) -> None:
        self.budget = budget
        self.spent = 0
        """Renders granted so far."""
        self._reserved = 0
        self._cancel = cancel
        self._clock = clock
        self._began = clock()
        self._refused: StoppedBy | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    @property
    def left(self) -> int:
        """Renders that the present stage may still have: 0 when time is up or the user has cancelled."""
        over = self._over()
        left = 0 if over else max(0, self.budget.renders - self.spent - self._reserved)
        if left == 0 and self._refused is None:
            # Whoever asks wants to go on.
            self._refused = over or "renders"
        return left

    @property
    def cancelled(self) -> bool:
        """True once the user has asked to stop."""
        return self._cancel is not None and self._cancel.is_set()

    @property
    def stopped_by(self) -> StoppedBy:
        """The limit that refused work, or `stages` where none has."""
        return "cancelled" if self.cancelled else self._refused or "stages"

    def grant(self, wanted: int) -> int:
        """How many of the wanted renders may be done; they count as spent from now on."""
        granted = min(wanted, self.left) if wanted > 0 else 0
        if granted < wanted and self._refused is None:
            self._refused = self._over() or "renders"
        self.spent += granted
        return granted

    def grant_last(self, wanted: int) -> int:
        """As `grant`, for the check of the final answers: neither time nor a cancelling stops it."""
        granted = max(0, min(wanted, self.budget.renders - self.spent))
        self.spent += granted
        return granted

    def reserve(self, renders: int) -> None:
        """Keep this many renders back from `grant`."""
        self._reserved = max(0, min(renders, self.budget.renders - self.spent))

    def release(self) -> None:
        """Give the reserved renders free."""
        self._reserved = 0

    def _over(self) -> StoppedBy | None:
        if self.cancelled:
            return "cancelled"
        return "seconds" if self.seconds >= self.budget.seconds else None
