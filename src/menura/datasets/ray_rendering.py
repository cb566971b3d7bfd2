"""Shards rendered by the tasks of a Ray cluster. The only importer of Ray; knows no row.

The same function as everywhere (`studio.render_shard`), so the same bytes. A node that leaves costs the shards that
it was rendering; they are begun anew elsewhere.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator
from typing import Any

from menura.datasets.plan import RenderPlan
from menura.datasets.shards import ShardFacts
from menura.datasets.studio import render_shard
from menura.errors import InputError, MenuraError, WorkError
from menura.synths.pool import cores

_RETRIES = 10
"""Of one shard, each after a node or a process died."""
_KNOCK_SECONDS = 10.0
_AHEAD = 2
"""Tasks that wait beside each that runs: enough that no core idles, few enough that millions cost no memory."""


def render_on_ray(
    plan: RenderPlan, out: str, numbers: list[int], address: str, workers: int | None = None
) -> Generator[ShardFacts]:
    """Renders shards; yields what became of each, in the order in which they finish.

    Args:
        plan: of the corpus.
        out: where it lies: an fsspec address, or a path that every node mounts.
        numbers: of the shards.
        address: of the cluster; ``"auto"`` finds the one of this machine, ``"local"`` starts one that ends with the
            run.
        workers: with ``"local"``, how many tasks run at a time; None takes one for each core. A cluster is used
            whole.

    Raises:
        InputError: Ray is missing, or there is no cluster there.
        WorkError: a shard failed on every try.
        MenuraError: as `studio.render_shard`.
    """
    try:
        import ray
        from ray.exceptions import RayError
    except ImportError as error:
        raise InputError(f"Ray is missing ({error}); pip install 'menura[cluster]', or leave --ray out") from error
    ours = not ray.is_initialized()
    if ours:
        options: dict[str, Any] = {"address": address}
        if address == "local":
            options |= {"num_cpus": workers or cores(), "include_dashboard": False}
        try:
            _knock(address)
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except (RayError, ConnectionError, ValueError, OSError) as error:
            raise InputError(
                f"no Ray cluster at {address!r} ({error}); start one with ray start --head, or give --ray local"
            ) from error
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_answer)
    try:
        known = ray.put((plan, out))
        waiting = list(reversed(numbers))
        running: list[Any] = []
        while waiting or running:
            room = (1 + _AHEAD) * max(int(ray.cluster_resources().get("CPU", 1)), 1) - len(running)
            running += [task.remote(known, waiting.pop()) for _ in range(min(max(room, 0), len(waiting)))]
            ready, running = ray.wait(running, num_returns=1)
            found = ray.get(ready[0])
            if isinstance(found, MenuraError):
                raise found
            yield found
    except RayError as error:
        raise WorkError(f"a shard failed on Ray ({' '.join(str(error).split())[:300]}); run the same again") from error
    finally:
        if ours:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at ``HOST:PORT``: Ray itself goes on trying for ten minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()


def _answer(known: tuple[RenderPlan, str], number: int) -> ShardFacts | MenuraError:
    """A shard; what went wrong is an answer too, since Ray would wrap it up."""
    try:
        return render_shard(*known, number)
    except MenuraError as error:
        return error
