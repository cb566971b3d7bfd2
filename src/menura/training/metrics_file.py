"""The metrics of a run as lines of JSON, and, where it is wanted, for TensorBoard. Knows no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from menura.errors import InputError, OutputError
from menura.storage import write_text

METRICS = "metrics.jsonl"


class MetricsFile:
    """Lines in the order of their steps; what came after the step that a run goes on from is taken away."""

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = False) -> None:
        """Opens the file at a step.

        Args:
            folder: of the run.
            step: the last one whose lines stay.
            tensorboard: whether to write events too.

        Raises:
            InputError: TensorBoard is wanted and not installed.
            OutputError: the file cannot be written.
        """
        self.path = folder / METRICS
        lines = [line for line in read_metrics(folder) if line["step"] <= step]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in lines), force=True)
        self._events: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise InputError(f"TensorBoard is not installed ({error}); pip install tensorboard") from error
            self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, kind: str, numbers: Mapping[str, float]) -> None:
        """One line. Raises OutputError."""
        line = {"step": step, "kind": kind, **numbers}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}); make room, and run again") from error
        if self._events is not None:
            for name, number in numbers.items():
                self._events.add_scalar(f"{kind}/{name}", number, step)

    def close(self) -> None:
        """Ends the events."""
        if self._events is not None:
            self._events.close()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run, without one that was torn by its end; none where there is no file."""
    path = folder / METRICS
    found: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
