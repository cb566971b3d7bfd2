"""A corpus on disk: its plan, its manifest, its shards. Reads; `rendering` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from menura.datasets.places import Place, place_of, read
from menura.datasets.plan import RenderPlan, read_plan
from menura.datasets.shards import FOLDER, Shard, shard_name
from menura.errors import CorpusError
from menura.space import ParameterSpace

PLAN, MANIFEST = "plan.json", "manifest.json"


class Corpus:
    """A corpus, finished or not."""

    def __init__(self, address: str) -> None:
        """Reads the plan, and the manifest where there is one.

        Args:
            address: a folder, or an fsspec address.

        Raises:
            CorpusError: it is no corpus, or damaged.
            InputError: the address cannot be understood.
        """
        self.place: Place = place_of(address)
        self.plan: RenderPlan = known_plan(self.place)
        self.manifest: dict[str, Any] | None = read_manifest(self.place) if self.place.exists(MANIFEST) else None

    @property
    def names(self) -> list[str]:
        """Shards that are there, in their order. Raises CorpusError."""
        there = set(self.place.names(FOLDER))
        return [name for name in map(shard_name, range(self.plan.shards)) if name in there]

    def shards(self) -> Iterator[Shard]:
        """Each shard that is there, in their order; closed when the next one is asked for.

        Raises:
            CorpusError: one is damaged.
        """
        for name in self.names:
            shard = Shard(self.place, name)
            try:
                yield shard
            finally:
                shard.close()

    def require(self, space: ParameterSpace) -> None:
        """Passes where the vectors of the corpus are of this space. Raises CorpusError."""
        found = self.plan.fingerprints.get("space")
        if found != space.fingerprint:
            raise CorpusError(
                f"{self.place.address} holds vectors of space {found} ({self.plan.synth}), not {space.fingerprint} "
                f"({space.synth}); render a corpus with this version and synth"
            )


def known_plan(place: Place) -> RenderPlan:
    """The plan of a corpus. Raises CorpusError."""
    where = f"{place.address}/{PLAN}"
    if not place.exists(PLAN):
        raise CorpusError(f"{place.address} is not a corpus (it has no {PLAN}); name a folder of menura dataset render")
    return read_plan(_object(read(place, PLAN), where), where)


def read_manifest(place: Place) -> dict[str, Any]:
    """The manifest of a whole corpus. Raises CorpusError."""
    return _object(read(place, MANIFEST), f"{place.address}/{MANIFEST}")


def _object(data: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
        if not isinstance(found, dict):
            raise TypeError("it holds no object")
    except (ValueError, TypeError) as error:
        raise CorpusError(f"{where} is damaged ({error}); put it back, or render into a new folder") from error
    return found
