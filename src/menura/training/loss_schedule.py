"""How parameter loss and embedding loss are weighed as a run of sound matching goes on.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, section 7.1: thirds of the epochs.
"""

from __future__ import annotations

from menura.errors import InputError

SCHEDULES: dict[str, str] = {"ploss": "PLoss", "mix": "Mix", "switch": "Switch"}
"""Name to the paper's."""


def loss_weights(schedule: str, step: int, steps: int) -> tuple[float, float]:
    """Weights of the parameter loss and of the embedding loss in a step, counted from 0.

    PLoss is the parameter loss alone. Mix fades the embedding loss in over the second third and keeps both. Switch
    fades the parameter loss out at the same time.

    Raises:
        InputError: no such schedule.
    """
    if schedule not in SCHEDULES:
        raise InputError(f"no loss schedule is called {schedule!r}; there are {', '.join(SCHEDULES)}")
    if schedule == "ploss":
        return 1.0, 0.0
    heard = min(max((3.0 * step - steps) / steps, 0.0), 1.0)
    return (1.0, heard) if schedule == "mix" else (1.0 - heard, heard)
