"""Where the time of a run's steps goes. Knows no task."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future

import torch

from menura.training.task import Batch


class Clock:
    """Where the time of the steps goes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.restart()

    def restart(self) -> None:
        """From now on."""
        self.examples, self._waited = 0, 0.0
        self._began, self._worked = time.perf_counter(), time.process_time()

    def wait(self, coming: Future[Batch]) -> Batch:
        """The batch, when it is there."""
        began = time.perf_counter()
        batch = coming.result()
        self._waited += time.perf_counter() - began
        return batch

    def read(self) -> dict[str, float]:
        """The speed since the last restart; call it when the device has come to rest."""
        took = max(time.perf_counter() - self._began, 1e-9)
        found = {
            "examples_per_second": self.examples / took,
            "waited": self._waited / took,
            "cores": (time.process_time() - self._worked) / took,
        }
        if self._device.type == "cuda":
            found["gpu_gigabytes"] = torch.cuda.max_memory_allocated(self._device) / 1e9
            try:
                found["gpu"] = torch.cuda.utilization(self._device) / 100.0
            except (ModuleNotFoundError, RuntimeError):
                logging.getLogger(__name__).info("the GPU does not tell how busy it is; pip install nvidia-ml-py")
        return {name: round(number, 4) for name, number in found.items()}
