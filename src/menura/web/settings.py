"""What one server is told: where it listens, whom it lets in, where it keeps things and how much. Owns the limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from menura import storage
from menura.errors import InputError

PORT = 8765
_SHORTEST_TOKEN = 16
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one server takes on; what is beyond is refused with a word."""

    upload_bytes: int = 50 * _MEGABYTE
    """Of one request, sound and form together."""
    upload_seconds: float = 600.0
    """Length of an uploaded sound; of a longer one than `menura.audio.MAX_SECONDS` a part is used."""
    body_wait: float = 20.0
    """Seconds without a byte of a request's body after which it is given up."""
    body_seconds: float = 300.0
    """Seconds for a whole body."""
    jobs_at_once: int = 1
    """Matches that run side by side; each may use every core."""
    jobs_waiting: int = 16
    """Matches that may wait for their turn."""
    renders: int = 5_000
    """Most renders of a match."""
    seconds: float = 600.0
    """Most seconds of a match."""
    matches: int = 9
    """Most answers of a match."""
    overtime: float = 120.0
    """Seconds that a match may take beyond its own limit before its process is ended."""
    keep_days: float = 30.0
    """Days that a result is kept."""
    keep_jobs: int = 100
    """Results that are kept, the newest."""
    studios: int = 2
    """Processes that render for listeners."""
    studio_waiting: int = 32
    """Renders for listeners that may wait."""
    studio_seconds: float = 60.0
    """Seconds for one of them."""
    building_seconds: float = 240.0
    """Seconds for a tutorial, each step of which is played."""
    cache_bytes: int = 300 * _MEGABYTE
    """Rendered sounds that are kept so that they need not be rendered again."""
    child_bytes: int = 8 << 30
    """Address space of each process that works: more than any sound needs, less than a machine has."""
    streams: int = 64
    """Event streams that may be open."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One server.

    Raises:
        InputError: it would listen beyond this machine without a token, or a value is out of range.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    """0 takes a free one."""
    token: str | None = None
    """What every request must show; None where only this machine can ask."""
    names: tuple[str, ...] = ()
    """Host names beyond addresses under which the server may be asked."""
    folder: Path = field(default_factory=lambda: storage.data_folder() / "serve")
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise InputError(f"port {self.port} does not exist; give 1 to 65535, or 0 for a free one")
        if self.token is None and not self.loopback:
            raise InputError(f"{self.host} can be reached from other machines: a token is needed there")
        if self.token is not None and (len(self.token) < _SHORTEST_TOKEN or not self.token.isascii()):
            raise InputError(f"the token is too short or not ASCII; give {_SHORTEST_TOKEN} characters or more")

    @property
    def loopback(self) -> bool:
        """True where only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
