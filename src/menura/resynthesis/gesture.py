"""How a sound is held and let go: the time axis that all contours of a patch share. Knows no synth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_TAIL_DB = 60.0
"""A sound that is cut off while it decays is drawn on until it fell by this much."""
_LONGEST_TAIL = 8.0
_UNHEARD_DB = -55.0
_HARDLY_DB = 9.0
_STILL = 0.8
"""Share of its late level at which a sound that was cut off counts as not yet fading."""
_FADE = 0.03
"""Seconds before the cut that are never held."""
_AFTER = 0.2
"""Seconds of shape behind the sustain point of a sound that was cut off while it sounded."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """The time axis of a patch."""

    sustaining: bool
    """Held for as long as the key; otherwise it decays by itself."""
    length: float
    """Seconds of the drawn shapes."""
    sustain_at: float
    """Where a held note stays, seconds; the end for a decaying sound."""
    key_release: float
    """Seconds of the amplitude envelope's release, a falling square."""
    tail_db_per_second: float = 0.0
    """Slope on which a decaying sound goes on beyond its recording, below 0."""
    key_up: float = math.inf
    """When the key goes up within the recording, seconds."""

    @classmethod
    def of(
        cls, level: NDArray[np.float64], times: NDArray[np.float64], seconds: float, *, sustaining: bool, hold: float
    ) -> Gesture:
        """The gesture of a recording.

        Args:
            level: Its root mean square over time, shape (frames,).
            times: Those times, seconds.
            seconds: Its length.
            sustaining: Whether it is held.
            hold: Key up in the recording, or its length.
        """
        if sustaining:
            hold = min(max(hold, 0.02), seconds)
            if hold > seconds - 0.03:
                hold = _before_the_cut(level, times, seconds)
                return cls(True, seconds + _AFTER, hold, 0.35)
            # Twice the recorded release, so that what the shape must still draw stays bounded.
            return cls(True, seconds, hold, float(np.clip(2.0 * (seconds - hold), 0.1, 2.0)), key_up=hold)
        if hold < seconds - 0.03:
            return cls(False, seconds, seconds, float(np.clip(2.0 * (seconds - hold), 0.2, 3.0)), key_up=hold)
        db = 20.0 * np.log10(np.maximum(level, 1e-9) / max(float(level.max()), 1e-9))
        end = float(db[-max(1, len(db) // 40) :].mean())
        if end < _UNHEARD_DB or len(db) < 8:
            return cls(False, seconds, seconds, float(np.clip(seconds / 2, 0.15, 0.4)))
        late = times > 0.5 * seconds
        slope = float(np.polyfit(times[late], np.maximum(db[late], -90.0), 1)[0]) if late.sum() > 4 else -60.0
        middle = float(np.median(db[np.abs(times - seconds / 2) < 0.1]))
        # What has hardly fallen yet was cut early in its decay, where a sound falls slowest for its level.
        slope = max(min(slope, -2.0), -2.5) if end > middle - _HARDLY_DB else min(slope, -4.0)
        tail = float(np.clip((end + _TAIL_DB) / -slope, 0.1, _LONGEST_TAIL))
        return cls(False, seconds + tail, seconds, 0.4, slope)

    def unreleased(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a level must be multiplied with because the envelope lets go as well, shape (frames,)."""
        gone = np.clip((times - self.key_up) / self.key_release, 0.0, 0.95)
        return np.minimum(1.0 / (1.0 - gone) ** 2, 8.0)

    def drawn(
        self, times: NDArray[np.float64], values: NDArray[np.float64], *, kind: Literal["level", "place"]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A curve on the whole axis, from 0 to `length`: a level goes on or ends, a place stays."""
        at, out = np.array(times, dtype=float), np.array(values, dtype=float)
        at[0] = 0.0
        inside = at < self.length - 1e-6
        at, out = at[inside], out[inside]
        if self.sustaining and self.sustain_at not in at:
            here = float(np.interp(self.sustain_at, at, out))
            order = np.searchsorted(at, self.sustain_at)
            at, out = np.insert(at, order, self.sustain_at), np.insert(out, order, here)
        if self.tail_db_per_second and kind == "level":
            # A level control is a square root, so its decibels fall half as fast.
            tail = np.linspace(at[-1], self.length, 12)[1:]
            fall = 10.0 ** (self.tail_db_per_second * (tail - at[-1]) / 40.0)
            at, out = np.concatenate([at, tail]), np.concatenate([out, out[-1] * fall])
            out[-1] = 0.0
            return at, out
        ends = 0.0 if kind == "level" and not self.sustaining else out[-1]
        return np.append(at, self.length), np.append(out, ends)


def _before_the_cut(level: NDArray[np.float64], times: NDArray[np.float64], seconds: float) -> float:
    """The last moment at which a sound that was cut off still had its level: cutters fade, players do not."""
    late = times > max(0.6 * seconds, seconds - 0.6)
    usual = float(np.median(level[late])) if late.any() else float(level[-1])
    sounding = times[(level >= _STILL * usual) & (times <= seconds - _FADE)]
    return float(sounding[-1]) if sounding.size else seconds
