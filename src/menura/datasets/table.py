"""Sets as data: the TOML files that name them. Owns what a set's table may say and where tables are looked for."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, cast, get_args

from menura.datasets.manifest import as_field
from menura.datasets.selection import Field
from menura.errors import ManifestError, NoteError
from menura.note import Note
from menura.storage import config_folder

Kind = Literal["manifest", "sounds", "presets", "synthetic", "nsynth", "fsd50k"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class SetTable:
    """What one table of a TOML file says of a set. Everything is optional but the path, or the kind "synthetic"."""

    name: str
    what: str = ""
    """One line for a list of sets."""
    path: Path | None = None
    """A manifest, a preset folder or tar, a folder of sounds, an NSynth or FSD50K folder; relative to the TOML file."""
    kind: Kind | None = None
    """None tells it from what is at the path."""
    synth: str = ""
    """Whose presets a bank or synthetic set has; empty takes the run's."""
    where: Mapping[str, Field] = field(default_factory=dict[str, Field])
    """Column to the value, or the list of values of which one must be there."""
    count: int | None = None
    """How many are chosen, balanced over sources; None is all."""
    seed: int | None = None
    """Of the choice or of the draws; a set that states it is the same in every run."""
    note: Note | None = None
    """How presets are played."""
    freeze: bool = True
    """Presets are rendered without chance."""
    twins: bool = False
    """Near-duplicates in a bank are kept."""
    pairs: bool = False
    """Pairs of notes of one instrument in place of the sounds themselves."""
    per_source: int = 5
    """The most pairs of one source."""
    pitch_from_name: bool = False
    """A folder's file names spell their keys."""
    sampler: str = "uniform"
    """Of a synthetic set."""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source folder to its author, where two folders are one author's."""
    licences: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source to licence, where the files do not state it."""
    part: str = ""
    """Only this part of the split by source: train, validation or test, 80, 10 and 10 in a hundred."""
    conditions: tuple[str, ...] = ()
    """What is done to each sound besides, from `menura.datasets.conditions`."""


_TYPES: Mapping[str, tuple[type, ...]] = {
    "what": (str,),
    "path": (str,),
    "kind": (str,),
    "synth": (str,),
    "where": (dict,),
    "count": (int,),
    "seed": (int,),
    "note": (dict,),
    "freeze": (bool,),
    "twins": (bool,),
    "pairs": (bool,),
    "per_source": (int,),
    "pitch_from_name": (bool,),
    "sampler": (str,),
    "sources": (dict,),
    "licences": (dict,),
    "part": (str,),
    "conditions": (list,),
}


def table_files() -> list[Path]:
    """Where sets are looked up, first found wins: $MENURA_SETS, ./sets.toml, ./benchmarks/sets.toml, the user's own.

    MENURA_SETS may name several files, with the system's path separator between them.
    """
    named = [Path(part) for part in os.environ.get("MENURA_SETS", "").split(os.pathsep) if part]
    return [*named, Path("sets.toml"), Path("benchmarks/sets.toml"), config_folder() / "sets.toml"]


def all_tables() -> dict[str, SetTable]:
    """Every set that has a name; files first in the order of `table_files`, then entry points ``menura.sets``.

    An entry point names a `SetTable`, or a mapping as in TOML with an absolute path.

    Raises:
        ManifestError: a file is no TOML, or a table says something that no set has.
    """
    found: dict[str, SetTable] = {}
    for path in table_files():
        if path.is_file():
            for table in read_tables(path):
                found.setdefault(table.name, table)
        elif path in _named():
            raise ManifestError(f"MENURA_SETS names {path}, which is no file; mend or clear the variable")
    for point in entry_points(group="menura.sets"):
        if point.name not in found:
            try:
                thing: Any = point.load()
            except (ImportError, AttributeError) as error:
                raise ManifestError(
                    f"the set {point.name!r} cannot be loaded ({error}); reinstall its package"
                ) from error
            found[point.name] = thing if isinstance(thing, SetTable) else as_table(point.name, thing, Path())
    return found


def read_tables(path: Path) -> list[SetTable]:
    """The sets of one TOML file.

    Raises:
        ManifestError: it is no TOML, or a table says something that no set has.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror}); mend its permissions or remove it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not TOML ({error}); mend it or remove it") from error
    tables: list[SetTable] = []
    for name, table in found.items():
        try:
            tables.append(as_table(name, table, path.parent))
        except ManifestError as error:
            raise ManifestError(f"{path}: {error}") from error
    return tables


def as_table(name: str, found: object, folder: Path) -> SetTable:
    """A set's table from what TOML read.

    Args:
        name: of the set.
        found: the mapping.
        folder: what its path is relative to.

    Raises:
        ManifestError: a key, a type or a value that no set has.
    """
    if not isinstance(found, Mapping):
        raise ManifestError(f"the set {name!r} is {found!r}; write a table [{name}] with a path")
    said = dict(cast(Mapping[str, Any], found))
    for key, value in said.items():
        if key not in _TYPES:
            raise ManifestError(f"the set {name!r} says {key!r}; a set may say {', '.join(_TYPES)}")
        kinds = _TYPES[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ManifestError(f"the set {name!r} has {key} = {value!r}; give {kinds[0].__name__}")
    if "kind" in said and said["kind"] not in KINDS:
        raise ManifestError(f"the set {name!r} is of kind {said['kind']!r}; there are {', '.join(KINDS)}")
    for key in ("count", "per_source"):
        if said.get(key, 1) < 1:
            raise ManifestError(f"the set {name!r} has {key} = {said[key]}; give 1 or more")
    if "path" in said:
        said["path"] = folder / Path(said["path"]).expanduser()
    elif said.get("kind") != "synthetic":
        raise ManifestError(f'the set {name!r} has no path; give one, or kind = "synthetic"')
    if "note" in said:
        said["note"] = _note(name, said["note"])
    if "where" in said:
        said["where"] = {str(column): as_field(value) for column, value in said["where"].items()}
    if "conditions" in said:
        said["conditions"] = tuple(str(word) for word in said["conditions"])
    return SetTable(name=name, **said)


def describe(table: SetTable) -> dict[str, object]:
    """What a table says beyond what every set is, as JSON values; not its name, its line and its path."""
    plain = SetTable(table.name)
    found: dict[str, object] = {}
    for entry in fields(table):
        value = getattr(table, entry.name)
        if entry.name in ("name", "what", "path") or value == getattr(plain, entry.name):
            continue
        found[entry.name] = asdict(value) if isinstance(value, Note) else value
    return found


def _named() -> Iterator[Path]:
    return (Path(part) for part in os.environ.get("MENURA_SETS", "").split(os.pathsep) if part)


def _note(name: str, found: Mapping[str, Any]) -> Note:
    try:
        return Note(**{key: float(value) for key, value in found.items()})
    except (TypeError, ValueError, NoteError) as error:
        raise ManifestError(
            f"the set {name!r} has a note that cannot be played ({error}); give pitch, velocity, hold and total"
        ) from error
