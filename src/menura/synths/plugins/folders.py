"""Where plug-ins lie on disk: folders of each format, the files in them, and what names one. Loads no plug-in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from menura.errors import EngineError, UnknownNameError

Format = Literal["lv2", "vst2", "vst3", "au", "surgepy"]
"""Of plug-ins, and Surge XT's own Python module, which is played like one."""
_VARIABLE: dict[Format, str] = {"lv2": "LV2_PATH", "vst2": "VST_PATH", "vst3": "VST3_PATH"}
_LINUX: dict[Format, tuple[str, ...]] = {
    "lv2": ("~/.lv2", "/usr/local/lib/lv2", "/usr/lib/lv2", "/usr/lib/{machine}-linux-gnu/lv2", "/usr/lib64/lv2"),
    "vst2": ("~/.vst", "/usr/local/lib/vst", "/usr/lib/vst", "/usr/lib/lxvst", "/usr/lib64/vst"),
    "vst3": ("~/.vst3", "/usr/local/lib/vst3", "/usr/lib/vst3", "/usr/lib64/vst3"),
}
_MACOS: dict[Format, tuple[str, ...]] = {
    "lv2": ("~/Library/Audio/Plug-Ins/LV2", "/Library/Audio/Plug-Ins/LV2"),
    "vst2": ("~/Library/Audio/Plug-Ins/VST", "/Library/Audio/Plug-Ins/VST"),
    "vst3": ("~/Library/Audio/Plug-Ins/VST3", "/Library/Audio/Plug-Ins/VST3"),
    "au": ("~/Library/Audio/Plug-Ins/Components", "/Library/Audio/Plug-Ins/Components"),
}
_WINDOWS: dict[Format, tuple[str, ...]] = {
    "lv2": (r"{APPDATA}\LV2", r"{COMMONPROGRAMFILES}\LV2"),
    "vst2": (r"{PROGRAMFILES}\VSTPlugins", r"{PROGRAMFILES}\Steinberg\VSTPlugins", r"{COMMONPROGRAMFILES}\VST2"),
    "vst3": (r"{LOCALAPPDATA}\Programs\Common\VST3", r"{COMMONPROGRAMFILES}\VST3"),
}
_URI = re.compile(r"^[a-z][a-z0-9+.-]*:[^\\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """One plug-in that lies somewhere."""

    format: Format
    place: str
    """The URI of an LV2 plug-in, else the path of its file or bundle."""
    file: str
    """The file whose content decides what it does: its binary, or an LV2 bundle's manifest."""

    @property
    def stem(self) -> str:
        """What it is called by its place alone: the last part of the URI, or the file's name without ending."""
        if self.format == "lv2":
            return re.split(r"[/#:]", self.place.rstrip("/#"))[-1]
        if self.format == "surgepy":
            return "Surge XT"
        return re.sub(r"[-_]vst$", "", Path(self.place).stem)


def folders(
    format: Format,  # noqa: A002 - the field's word
    *,
    platform: str = sys.platform,
    environment: Mapping[str, str] | None = None,
) -> list[Path]:
    """Folders in which a format's plug-ins are looked for, those of the variable first; they need not exist.

    Args:
        format: of the plug-ins. $VST_PATH and $VST3_PATH name further folders; $LV2_PATH replaces the usual ones, as
            it does in every LV2 host.
        platform: as `sys.platform`.
        environment: as `os.environ`, the default.
    """
    environment = os.environ if environment is None else environment
    named = environment.get(_VARIABLE.get(format, ""), "").split(os.pathsep)
    table = _MACOS if platform == "darwin" else _WINDOWS if platform.startswith("win") else _LINUX
    found = [Path(folder).expanduser() for folder in named if folder]
    if format == "lv2" and found:
        return found
    for pattern in table.get(format, ()):
        try:
            found.append(Path(pattern.format(**{"machine": os.uname().machine, **environment})).expanduser())
        except (KeyError, AttributeError):  # a Windows variable that is not set, or no uname
            continue
    return list(dict.fromkeys(found))


def plugins(formats: tuple[Format, ...] = ("lv2", "vst3", "vst2", "au")) -> list[Location]:
    """Every plug-in file in the folders; whether it is an instrument only loading it would tell, but for LV2."""
    return [location for one in formats for folder in folders(one) for location in _inside(one, folder)]


def at_path(path: Path) -> Location:
    """The plug-in of a file or bundle that a user names.

    Raises:
        EngineError: there is none, or it is of no known format.
    """
    if not path.exists():
        raise EngineError(f"there is no plug-in at {path}; check the path, or run: menura synths scan")
    found = next((one for one in _inside_any(path) if Path(one.place).name == path.name), None)
    if found is None:
        raise EngineError(
            f"{path} is no plug-in that menura can host; give a .vst3, a VST2 library (.so, .dll, .vst), a .component, "
            "or the URI of an LV2 plug-in"
        )
    return found


def locate(text: str) -> Location:
    """The plug-in that a text names by URI, path or the name of its file; nothing is loaded.

    Raises:
        EngineError: a path leads nowhere.
        UnknownNameError: nothing in the folders is called so.
    """
    if os.sep in text and not _URI.match(text):
        return at_path(Path(text).expanduser().resolve())
    everything = plugins()
    if _URI.match(text) and not Path(text).exists():
        found = next((one for one in everything if one.place == text), None)
        if found is None:
            where = ", ".join(str(folder) for folder in folders("lv2"))
            raise UnknownNameError(f"no LV2 plug-in has the URI {text}; looked in {where}; set LV2_PATH for others")
        return found
    wanted = text.casefold()
    for called in (_file_name, _file_stem, _stem):
        for one in everything:
            if called(one).casefold() == wanted:
                return one
    if Path(text).exists():
        return at_path(Path(text).resolve())
    raise UnknownNameError(f"no plug-in is called {text!r}; run: menura synths scan, which lists those that there are")


def short_name(location: Location) -> str:
    """The shortest text that `locate` takes back to this plug-in, so that it means the same on other machines."""
    if location.format == "lv2":
        return location.place
    if location.format == "surgepy":
        return location.format
    name = Path(location.place).name
    try:
        return name if locate(name) == location else location.place
    except (UnknownNameError, EngineError):
        return location.place


def _file_name(one: Location) -> str:
    return Path(one.place).name


def _file_stem(one: Location) -> str:
    return Path(one.place).stem


def _stem(one: Location) -> str:
    return one.stem


def _inside(format: Format, folder: Path) -> Iterator[Location]:  # noqa: A002
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if format == "lv2":
            yield from _bundle(path)
        else:
            found = _plugin(path, format)
            if found:
                yield found
            elif path.is_dir() and path.suffix == "":
                yield from _inside(format, path)


def _inside_any(path: Path) -> Iterator[Location]:
    formats: tuple[Format, ...] = ("vst3", "vst2", "au")
    for one in formats:
        found = _plugin(path, one)
        if found:
            yield found


def _plugin(path: Path, format: Format) -> Location | None:  # noqa: A002
    """The plug-in that a path is, by its ending."""
    suffix = path.suffix.lower()
    endings = {"vst3": (".vst3",), "vst2": (".so", ".dll", ".vst"), "au": (".component",)}[format]
    if suffix not in endings or (suffix in (".so", ".dll") and not path.is_file()):
        return None
    return Location(format, str(path.resolve()), str(_binary(path.resolve())))


def _binary(path: Path) -> Path:
    """The library in a bundle; the path itself where it is one."""
    if path.is_file():
        return path
    libraries = (".so", ".dll", ".vst3", "")
    inside = [one for one in sorted([*path.glob("*.so"), *path.glob("Contents/*/*")]) if one.suffix in libraries]
    inside = [one for one in inside if one.is_file()]
    return inside[0] if inside else path


def _bundle(folder: Path) -> Iterator[Location]:
    """The instruments of an LV2 bundle, from its Turtle files.

    Only what tells a URI and that it is an instrument is read, by the shape that every tool writes: a subject at
    the start of a line, then ``a lv2:Plugin, lv2:InstrumentPlugin``. The host reads the rest.
    Source: lv2plug.in/ns/lv2core, classes Plugin and InstrumentPlugin.
    """
    manifest = folder / "manifest.ttl"
    if not manifest.is_file():
        return
    seen: set[str] = set()
    for file in [manifest, *sorted(one for one in folder.glob("*.ttl") if one != manifest)]:
        try:
            text = file.read_text("utf-8", errors="replace")
        except OSError:
            continue
        prefixes = dict(re.findall(r"@prefix\s+([\w-]*:)\s+<([^>]*)>", text))
        subject = r"^(<[^>]+>|[\w-]*:[\w.-]*)\s+(?:a|rdf:type)\s+([^;.\[]*)"
        for name, kinds in re.findall(subject, text, re.MULTILINE):
            if "InstrumentPlugin" not in kinds:
                continue
            head, _, tail = name.partition(":")
            uri = name[1:-1] if name.startswith("<") else prefixes.get(f"{head}:", "") + tail
            if uri not in seen:
                seen.add(uri)
                # The library named like the description, as is usual; else the description decides.
                library = file.with_suffix(".so")
                yield Location("lv2", uri, str((library if library.is_file() else file).resolve()))
