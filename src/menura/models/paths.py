"""From noise to a patch: the paths that flows and diffusions are trained on, and walking them. NumPy alone.

On both, features at time t are `signal(t) * patch + noise(t) * noise`, and a network says what the patch is on average
given those; a step goes as if that mean were the patch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Path = Literal["flow", "diffusion"]
Rows = NDArray[np.float32]
Mean = Callable[[Rows, Rows, Rows], Rows]
"""(features, time, keep) to expected features: keep is 1 where the sound is heard, 0 where it is hidden."""
CHANCE = 1.0
"""Share of the noise that a diffusion draws anew in each step: 1 is ancestral sampling, 0 none."""


def at(path: Path, time: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Signal and noise at times from 0 to 1, of the times' shape."""
    if path == "flow":
        return time, 1.0 - time
    return np.sin(0.5 * np.pi * time), np.cos(0.5 * np.pi * time)


def walk(
    path: Path,
    mean: Mean,
    noise: Rows,
    rng: np.random.Generator,
    *,
    steps: int = 24,
    guidance: float = 1.0,
    start: float = 0.0,
    patch: Rows | None = None,
    free: NDArray[np.bool_] | None = None,
) -> Rows:
    """Features of patches at the end of the path, shape (n, features).

    Args:
        path: which one.
        mean: the network.
        noise: where to begin, shape (n, features).
        rng: of the noise that a diffusion draws on its way.
        steps: of the walk.
        guidance: how far to go past what would be said without the sound towards what is said with it: 1 is the latter.
        start: time to begin at; above 0 with what lies between the noise and a patch there.
        patch: that patch, shape (n, features).
        free: features that may change; the others stay the patch's, shape (n, features). All by default.

    Source: Lipman et al., "Flow matching for generative modeling", 2023; Song et al., "Denoising diffusion implicit
    models", 2021; Ho and Salimans, "Classifier-free diffusion guidance", 2022;
    for parts of a patch Meng et al., "SDEdit", 2022, and Lugmayr et al., "RePaint", 2022.
    """
    given = np.zeros_like(noise) if patch is None else patch
    fixed = np.zeros(noise.shape, dtype=np.bool_) if patch is None or free is None else ~free

    def along(time: float) -> Rows:
        signal, level = at(path, np.asarray(time))
        return (signal * given + level * noise).astype(np.float32)

    features = along(start) if patch is not None else noise.astype(np.float32)
    # Small steps at first, where guidance decides; larger ones where the patch is known.
    times = start + (1.0 - start) * np.linspace(0.0, 1.0, steps + 1) ** 1.2
    for now, then in pairwise(times.tolist()):
        told = np.where(fixed, given, _guided(mean, features, float(now), guidance))
        if then == 1.0:
            return told.astype(np.float32)
        (signal, level), (signal_then, level_then) = at(path, now), at(path, then)
        left = (features - signal * told) / level
        fresh = 0.0
        if path == "diffusion":
            fresh = CHANCE * level_then / level * float(np.sqrt(max(0.0, 1.0 - (signal / signal_then) ** 2)))
        kept = float(np.sqrt(max(0.0, level_then**2 - fresh**2)))
        drawn = rng.standard_normal(features.shape, dtype=np.float32) if fresh else np.zeros_like(features)
        features = (signal_then * told + kept * left + fresh * drawn).astype(np.float32)
        features = np.where(fixed, along(then), features)
    return features


def _guided(mean: Mean, features: Rows, time: float, guidance: float) -> Rows:
    count = len(features)
    if guidance == 1.0:
        told = mean(features, np.full(count, time, np.float32), np.ones(count, np.float32))
        return np.clip(told, -1.0, 1.0)
    twice = np.concatenate([features, features])
    keep = np.repeat(np.array([1.0, 0.0], np.float32), count)
    told = mean(twice, np.full(2 * count, time, np.float32), keep)
    heard, hidden = told[:count], told[count:]
    return np.clip(hidden + guidance * (heard - hidden), -1.0, 1.0).astype(np.float32)
