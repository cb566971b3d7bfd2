"""Where a recording begins and ends to sound. Works on bare arrays; knows no file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WINDOW = 0.005
_HOP = 0.001
_PRE_ROLL = 0.005
_POST_ROLL = 0.050
_SHORTEST_HEAD = 0.020
_SHORTEST_TAIL = 0.100
_FLOOR_DB = -90.0


def sounding_range(samples: NDArray[np.float32], sample_rate: int) -> tuple[int, int]:
    """First and one-past-last sample of what is to be heard, with a short pre-roll and post-roll.

    The level is the RMS over 5 ms of all channels. The sound begins where it passes 50 dB below the loudest frame
    (or -90 dBFS, whichever is higher), and ends where it last passes 60 dB below. Where the recording never gets that
    quiet, its noise stands in the way: then the threshold is 10 dB above the quietest frame, though never less than
    30 dB (at the end 40 dB) below the loudest. A sound that is loud throughout is therefore never cut.

    Args:
        samples: shape (channels, samples).
        sample_rate: in Hz.

    Returns:
        (0, number of samples) where the lead is under 20 ms and the tail under 100 ms, or all is silent.
    """
    total = samples.shape[1]
    window = max(1, round(_WINDOW * sample_rate))
    hop = max(1, round(_HOP * sample_rate))
    if total < 2 * window:
        return 0, total
    power = np.square(samples, dtype=np.float64).mean(axis=0)
    sums = np.concatenate(([0.0], np.cumsum(power)))
    starts = np.arange(0, total - window + 1, hop, dtype=np.int64)
    level_db = 10.0 * np.log10(np.maximum((sums[starts + window] - sums[starts]) / window, 1e-20))
    loudest, quietest = float(level_db.max()), float(level_db.min())
    if loudest <= _FLOOR_DB:
        return 0, total
    begin_db = max(min(max(quietest + 10.0, loudest - 50.0), loudest - 30.0), _FLOOR_DB)
    end_db = max(min(max(quietest + 10.0, loudest - 60.0), loudest - 40.0), _FLOOR_DB)
    first = int(starts[np.argmax(level_db > begin_db)])
    if first > 0:
        # A frame that just passes has the onset in its last millisecond.
        first = max(0, first + window - hop - round(_PRE_ROLL * sample_rate))
    last = int(starts[len(starts) - 1 - np.argmax(level_db[::-1] > end_db)]) + window
    last = min(total, last + round(_POST_ROLL * sample_rate))
    if first < _SHORTEST_HEAD * sample_rate:
        first = 0
    if total - last < _SHORTEST_TAIL * sample_rate:
        last = total
    return first, last
