"""One process of a run: it answers and judges one item with one arm at a time. Knows no other process."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from menura.datasets.item import Item
from menura.errors import MenuraError
from menura.evaluation.arm import Arm, Case, NotApplicableError
from menura.evaluation.judge import Judge
from menura.evaluation.results import Row
from menura.matching.budget import Budget
from menura.matching.target import Target
from menura.storage import hash_bytes
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What every row of a run is made with."""

    folder: Path | None
    """Where answers are kept; None keeps none."""
    metrics: tuple[str, ...]
    synth: str = "vital"
    renders: int = 100
    """Renders for each row; an arm may have its own."""
    seconds: float = 600.0
    """Ceiling of wall-clock time for each row."""
    seed: int = 0
    top: int = 5
    """Answers for each row, of which the first is judged."""
    playing: bool = True
    engines: int = 1
    """Engines that search one row; the number changes no result."""


class Worker:
    """Answers and judges; keeps one engine of each kind open. Use it in a ``with`` statement."""

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self._synth = synth_of(settings.synth)
        self._pools = (
            RenderPool(settings.synth, workers=settings.engines, mode="fast"),
            RenderPool(settings.synth, workers=1, mode="exact"),
        )
        self._judge = Judge(settings.metrics, settings.folder, settings.playing)
        self._target = lru_cache(maxsize=4)(_target)

    def row(self, arm: Arm, item: Item) -> Row:
        """The row; an error is a row too, whatever it is."""
        began = time.monotonic()
        head: Row = {"arm": arm.name, "item": item.key, "id": item.id, "condition": item.condition}
        head |= {"category": item.category, "source": item.source}
        try:
            found = self._measured(arm, item)
        except NotApplicableError as reason:
            found = {"skipped": _line(reason)}
        except MenuraError as error:
            found = {"error": _line(error)}
        except Exception as error:  # noqa: BLE001 - told, logged and counted
            # A defect, of an arm from elsewhere too, shall cost one row of a long run and be told whole.
            _LOG.exception("%s failed unexpectedly on %s", arm.name, item.key)
            found = {"error": f"{type(error).__name__}: {_line(error)}; this is a defect of the arm or of menura"}
        return {**head, "seconds": round(time.monotonic() - began, 3), **found}

    def _measured(self, arm: Arm, item: Item) -> Row:
        if item.error:
            raise MenuraError(item.error)
        settings = self.settings
        case = Case(
            item=item,
            target=self._target(item),
            synth=self._synth,
            pools=self._pools,
            budget=Budget(settings.renders, settings.seconds),
            seed=item_seed(settings.seed, item),
            top=settings.top,
        )
        return self._judge.row(arm.name, case, arm.answer(case))

    def close(self) -> None:
        """Ends the engines."""
        for pool in self._pools:
            pool.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def item_seed(seed: int, item: Item) -> int:
    """Chance of an item: the same for every arm, and for the item in whatever condition and set."""
    return int(hash_bytes(f"{seed}/{item.id}".encode())[:8], 16)


def _target(item: Item) -> Target:
    told = item.pitch if item.note is None else item.note
    return Target.of(item.sound, told)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "no message"


_worker: Worker | None = None


def start(settings: RunSettings, parent: int) -> None:
    """Begins a process of a run; it ends when its parent is gone."""
    global _worker  # noqa: PLW0603 - a process of the executor has no other place to keep its engines
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    _worker = Worker(settings)


def work(arm: Arm, item: Item) -> Row:
    """The row of an arm on an item, in a process that `start` has begun."""
    if _worker is None:
        raise RuntimeError("this process was not started as a worker")
    return _worker.row(arm, item)


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
