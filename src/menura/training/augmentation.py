"""What happens to the picture of a render so that it could be of a recording. Knows no network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from menura.features.semitones import RANGE_DB

_DECIBELS_PER_LOG2 = 10.0 * 0.30102999566


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often and how much; each change falls on a picture by its own chance."""

    equaliser: float = 0.5
    equaliser_db: float = 6.0
    """Largest gain of a curve with two bends."""
    noise: float = 0.3
    quietest_db: float = -75.0
    loudest_db: float = -35.0
    """Of a steady floor, in its loudest band."""
    early: float = 0.3
    latest: int = 2
    """Frames by which the sound may begin late."""
    short: float = 0.2
    shortest: int = 16
    """Frames that are left of a sound that is cut."""
    dull: float = 0.15
    narrowest: int = 60
    """Bands that are left where the highest are taken away."""
    hidden: float = 0.3
    hidden_frames: int = 8
    hidden_bands: int = 10
    """Widest gaps in time and in pitch."""


def augmented(pictures: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Changed copies; their loudest value is 0 dB again.

    Args:
        pictures: dB from -80 to 0, shape (n, frames, bands).
        settings: how often and how much.
        generator: where all chance comes from.
    """
    count, frames, bands = pictures.shape
    at, band = torch.arange(frames)[None, :], torch.arange(bands)[None, :]

    def chosen(share: float) -> Tensor:
        return torch.rand(count, generator=generator) < share

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    def whole(low: int, high: int) -> Tensor:
        """Both ends are among them."""
        return torch.randint(low, high + 1, (count,), generator=generator)

    floor = torch.tensor(-RANGE_DB)
    late = torch.where(chosen(settings.early), whole(0, settings.latest), 0)[:, None]
    end = torch.where(chosen(settings.short), whole(settings.shortest, frames), frames)[:, None]
    place = (at - late).clamp(min=0)
    found = torch.gather(pictures, 1, place[:, :, None].expand(-1, -1, bands))
    found = torch.where(((at < late) | (at >= end))[:, :, None], floor, found)

    turns = uniform(0.3, 2.0)[:, None] * band / bands + uniform(0.0, 1.0)[:, None]
    gains = torch.where(chosen(settings.equaliser), uniform(0.0, settings.equaliser_db), 0.0)[:, None]
    found = found + (gains * torch.sin(2.0 * torch.pi * turns))[:, None, :]
    highest = torch.where(chosen(settings.dull), whole(settings.narrowest, bands), bands)[:, None]
    found = torch.where((band >= highest)[:, None, :], floor, found)

    tilt = uniform(-40.0, 10.0)[:, None] * band / bands
    level = uniform(settings.quietest_db, settings.loudest_db)[:, None] + tilt - tilt.amax(dim=1, keepdim=True)
    level = torch.where(chosen(settings.noise)[:, None], level, -2.0 * RANGE_DB)
    floor_power = (level / _DECIBELS_PER_LOG2)[:, None, :]
    found = torch.maximum(found, floor)
    # The sum of two powers, without leaving the logarithm.
    found = _DECIBELS_PER_LOG2 * torch.logaddexp2(found / _DECIBELS_PER_LOG2, floor_power)

    for axis, widest in ((at, settings.hidden_frames), (band, settings.hidden_bands)):
        begin, width = whole(0, axis.shape[1] - 1)[:, None], whole(1, widest)[:, None]
        gap = (axis >= begin) & (axis < begin + width) & chosen(settings.hidden)[:, None]
        found = torch.where(gap[:, :, None] if axis is at else gap[:, None, :], floor, found)
    found = found - found.amax(dim=(1, 2), keepdim=True)
    return torch.maximum(found, floor)
