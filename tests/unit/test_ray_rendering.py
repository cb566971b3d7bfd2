"""Ray: the same bytes as everywhere, whatever leaves the cluster meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from descendants import descendants
from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.datasets.shards import shard_name
from menura.datasets.studio import render_shard
from menura.errors import InputError
from menura.note import Note

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
PLAN = plan_of(16, "sparse", "toy", seed=4, notes=(Note(48, 0.9, 0.5, 2.0), Note(60, 0.9, 0.5, 2.0)), shard_size=4)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_two_workers_one_of_them_killed(tmp_path):
    """kill -9 of a Ray worker while it renders."""
    for number in range(PLAN.shards):
        render_shard(PLAN, str(tmp_path / "here"), number)
    killed = []

    def kill_a_renderer() -> None:
        """Waits for an engine, whose parent is a Ray worker in the middle of a shard."""
        until = time.monotonic() + 60.0
        while not killed and time.monotonic() < until:
            for worker in descendants(os.getpid(), "ray::"):
                if descendants(worker, "pool_worker"):
                    os.kill(worker, signal.SIGKILL)
                    killed.append(worker)
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=kill_a_renderer)
    thread.start()
    manifest = render_corpus(PLAN, str(tmp_path / "ray"), workers=2, ray="local")
    thread.join()
    assert killed
    assert manifest["items"] == 16
    for number in range(PLAN.shards):
        name = shard_name(number)
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_no_cluster_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InputError, match=r"no Ray cluster at '127\.0\.0\.1:1'"):
        render_corpus(PLAN, str(tmp_path), ray="127.0.0.1:1")
