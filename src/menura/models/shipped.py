"""Which models there are, and where they lie: those in the package, and those that can be fetched. Knows no network.

A model is a folder with a card and its files. Shipped ones lie in the package under ``models/weights``; a user's own
are named by their folders; fetchable ones are rows of `FETCHABLE`, each file with its sha256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from menura import storage
from menura.errors import InputError, UnknownNameError, WorkError
from menura.models.estimator import CARD, DECODER, ENCODER, Estimator, open_estimator, read_card
from menura.synths.patches import PatchSpace

PACKAGED = Path(__file__).parent / "weights"
MOST_BYTES = 40_000_000
"""Of all weights in the package."""


@dataclass(frozen=True)
class Source:
    """A model that is not in the package."""

    what: str
    address: str
    """That the names of its files follow."""
    files: Mapping[str, str]
    """Name to sha256, the card's among them."""
    licence: str
    bytes: int


FETCHABLE: Mapping[str, Source] = {}
"""By name, e.g. ``vital-flow-full``. None is published yet; what is trained by hand is named by its folder."""


@dataclass(frozen=True)
class Listed:
    """A model that there is."""

    name: str
    place: str
    """package, cache, or the address that it can be fetched from."""
    synth: str
    kind: str
    bytes: int


def listed() -> list[Listed]:
    """All models that are known by name, those in the package first."""
    found: list[Listed] = []
    for folder in _packaged():
        card = read_card(folder)
        found.append(Listed(folder.name, "package", card["synth"], card["kind"], _size(folder)))
    for name, source in FETCHABLE.items():
        here = _cache(name)
        if (here / CARD).is_file():
            card = read_card(here)
            found.append(Listed(name, "cache", card["synth"], card["kind"], _size(here)))
        else:
            found.append(Listed(name, source.address, "", source.what, source.bytes))
    return found


def folder_of(name: str) -> Path:
    """The folder of a model: a path, or a name of `listed`.

    Raises:
        UnknownNameError: there is no such model.
        InputError: it has to be fetched first.
    """
    if (Path(name) / CARD).is_file():
        return Path(name)
    packaged = {folder.name: folder for folder in _packaged()}
    if name in packaged:
        return packaged[name]
    if name in FETCHABLE:
        here = _cache(name)
        if (here / CARD).is_file():
            return here
        raise InputError(f"the model {name!r} is not here yet; menura models fetch {name}")
    raise _unknown(name, [*packaged, *FETCHABLE])


def default_model(synth: str, kind: str) -> Path:
    """The shipped model of a synth and kind.

    Raises:
        InputError: none is shipped.
    """
    for folder in _packaged():
        card = read_card(folder)
        if (card["synth"], card["kind"]) == (synth, kind):
            return folder
    raise InputError(
        f"no {kind} model of {synth} is in this package; train one: menura models train {synth} --out FOLDER, and "
        "name its folder, or see menura models list"
    )


def model_of(name: str, patches: PatchSpace) -> Estimator:
    """The model of that name or folder, ready to answer.

    Raises:
        UnknownNameError: there is no such model.
        InputError: it is not here, or damaged.
        SpaceError: it is of another space.
    """
    return open_estimator(folder_of(name), patches)


def fetch(name: str) -> Path:
    """Downloads a model into the cache, each file checked; answers with its folder.

    Raises:
        UnknownNameError: there is no such model.
        WorkError: a file could not be fetched, or is another.
    """
    packaged = {folder.name: folder for folder in _packaged()}
    if name in packaged:
        return packaged[name]
    if name not in FETCHABLE:
        raise _unknown(name, [*packaged, *FETCHABLE])
    source = FETCHABLE[name]
    # The card comes last: a folder with a card is whole.
    for file in sorted(source.files, key=lambda file: file == CARD):
        try:
            storage.download(f"{source.address}/{file}", source.files[file], folder=_cache(name))
        except WorkError as error:
            raise WorkError(f"the model {name!r} could not be fetched: {error}") from error
    return _cache(name)


def told(folder: Path) -> dict[str, Any]:
    """The card of a model and its size, with its place."""
    return {**read_card(folder), "folder": str(folder), "bytes": _size(folder)}


def _unknown(name: str, known: list[str]) -> UnknownNameError:
    return UnknownNameError(
        f"no model is called {name!r}, and it is no folder of one; known: {', '.join(known) or 'none'}"
    )


def _packaged() -> list[Path]:
    return sorted(card.parent for card in PACKAGED.glob(f"*/{CARD}"))


def _cache(name: str) -> Path:
    return storage.cache_folder() / "models" / name


def _size(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in (CARD, ENCODER, DECODER) if (folder / name).is_file())
