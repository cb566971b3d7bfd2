"""The contract of a stage. Knows no particular stage."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from menura.events import Event
from menura.matching.budget import Account
from menura.matching.pool import Pool


class Stage(Protocol):
    """A step of a match: a generator of events that answers with the pool.

    Laws, each a property test:

    - The best candidate of the pool that it was given is in the pool that it gives back.
    - The number of workers never changes a result.
    - It renders no more than the account grants.
    - It may be closed at any event, and leaves the pool whole.
    """

    name: str
    """Short name, shown and stored in lineages."""

    def run(self, pool: Pool, account: Account) -> Generator[Event, None, Pool]:
        """Work on the pool until done or until the account grants no more."""
        ...
