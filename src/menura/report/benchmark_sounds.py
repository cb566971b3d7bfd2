"""The sounds of a run for its page: inside it as far as there is room, else as links. Knows no page and no metric."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from menura.audio import Audio, encode_audio, read_audio
from menura.datasets.item import Item
from menura.errors import MenuraError
from menura.evaluation.judge import read_target
from menura.report import pictures, sounds

Row = Mapping[str, Any]

ROOM_BYTES = 34_000_000
"""Of base64: a page of 55 sounds and six arms has half of it, and one of 40 MB still opens within a second or two."""
HIGHEST_GAIN_DB = 24.0
"""An answer that is nearly silent is not blown up without end."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound of the page."""

    gain_db: float
    """What brings it to its target's loudness."""
    inside: str = ""
    """MP3 as base64; empty where it is outside of the page."""
    link: str = ""
    """Where the file lies, as seen from the page."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What can be heard of one item."""

    target: Sound | None
    """None where the file is gone."""
    answers: Mapping[str, Sound]
    """By arm."""

    @property
    def inside(self) -> bool:
        """True where all its sounds are in the page, or it has none."""
        return all(sound.inside for sound in (self.target, *self.answers.values()) if sound is not None)


def gather_sounds(
    folder: Path, items: Sequence[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Row]], *, room: int = ROOM_BYTES
) -> dict[str, Heard]:
    """Sounds of the items, inside the page for the first of them, as links for those that find no room.

    MP3, for every browser plays it; all sounds of an item are of one kind, for an encoder's delay would set them apart.

    Args:
        folder: Of the run.
        items: In the order in which they are given room.
        rows: Item key, then arm, to the row.
        room: Bytes of base64.

    Returns:
        Item key to its sounds.
    """
    found: dict[str, Heard] = {}
    left = room
    for item in items:
        target = _read_target(folder / item["target"])
        answers = {
            arm: (audio, str(row["files"]["sound"]))
            for arm, row in rows.get(item["key"], {}).items()
            if row.get("files", {}).get("sound") and (audio := _read(folder / row["files"]["sound"])) is not None
        }
        level = None if target is None else pictures.level_db(target)
        bodies = _encoded(target, {arm: audio for arm, (audio, _) in answers.items()}) if left > 0 else {}
        size = sum(map(len, bodies.values()))
        if size > left:
            bodies, left = {}, 0  # the next one may be smaller, but a page with holes would be hard to explain
        left -= size
        found[item["key"]] = Heard(
            target=None if target is None else _target(str(item["target"]), bodies.get("", "")),
            answers={
                arm: Sound(_gain(level, audio), bodies.get(arm, ""), quote(name))
                for arm, (audio, name) in answers.items()
            },
        )
    return found


def _encoded(target: Audio | None, answers: Mapping[str, Audio]) -> dict[str, str]:
    """MP3 as base64; the target has the empty name."""
    heard = ({} if target is None else {"": target}) | dict(answers)
    return {
        name: base64.b64encode(encode_audio(sounds.within_full_scale(audio), ".mp3")).decode("ascii")
        for name, audio in heard.items()
    }


def _gain(level_db: float | None, audio: Audio) -> float:
    if level_db is None:
        return 0.0
    return round(min(level_db - pictures.level_db(sounds.within_full_scale(audio)), HIGHEST_GAIN_DB), 2)


def _read_target(path: Path) -> Audio | None:
    """What answers were held against, cut as the judge cut it."""
    try:
        return sounds.within_full_scale(read_target(Item(id=path.name, sound=path)))
    except (MenuraError, OSError) as error:
        _LOG.warning("a target cannot be heard: %s", error)
        return None


def _read(path: Path) -> Audio | None:
    try:
        return read_audio(path).to_mono()
    except (MenuraError, OSError) as error:
        _LOG.warning("an answer cannot be heard: %s", error)
        return None


def _target(name: str, inside: str) -> Sound:
    """The target; one that lies elsewhere on this machine is linked only where the page must read it from there."""
    if not Path(name).is_absolute():
        return Sound(0.0, inside, quote(name))
    return Sound(0.0, inside, "" if inside else Path(name).as_uri())
