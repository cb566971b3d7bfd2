"""`menura library`: patches that can be searched by sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers
from menura.errors import InputError

if TYPE_CHECKING:
    from menura.library.building import Draft, Progress
    from menura.library.library import Library

app = typer.Typer(help="Find patches that sound like a sound.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder of the library.")]


@app.command("build")
def build(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Its folder, by default the user's own; continued where unfinished."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many patches to draw.")] = 2_000,
    prior: Annotated[str, typer.Option("--prior", help="Where they are drawn from.")] = "human",
    synth: Annotated[str, typer.Option("--synth", help="Whose patches.")] = "vital",
    notes: Annotated[str, typer.Option("--notes", help="Keys at which each is heard, with commas.")] = "C2,C3,C4,C5",
    fast: Annotated[str, typer.Option("--fast", help="Embedder of the first stage.")] = "timbre",
    close: Annotated[str, typer.Option("--close", help="Embedder of the second stage.")] = "contour",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")] = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Draw patches, render them and write a library; stopped at any point, the same command goes on."""
    from menura.datasets.sampling import draw_preset, sampler_of
    from menura.library.building import Draft, fill
    from menura.library.card import Card
    from menura.library.library import Library, default_folder
    from menura.library.listening import Ear
    from menura.note import parse_pitch
    from menura.synths.registry import synth_of

    player = synth_of(synth)
    card = Card.of(player, [parse_pitch(note) for note in notes.split(",")], Ear(fast, close))
    sampler = sampler_of(prior, player)
    source = f"{prior}, seed {seed}"
    folder = out or default_folder(player.name)
    if (folder / "library.json").exists():
        library = Library.open(folder)
        if library.card != card:
            raise InputError(f"{folder} is a library of another make ({library.card}); choose another folder")
    else:
        library = Library(folder, card)
        library.save()
    drafts = (Draft(draw_preset(sampler, player, seed, index)) for index in range(count))
    _told(library, fill(library, drafts, source, workers=workers, tell=_progress), json)


@app.command("add")
def add(
    folder: Folder,
    presets: Annotated[Path, typer.Argument(help="A folder of preset files, or one file.")],
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Put a folder of presets, and those below it, into a library; those that are in it already are left alone."""
    from menura.library.building import fill, user_presets
    from menura.library.library import Library

    library = Library.open(folder)
    if not presets.exists():
        raise InputError(f"{presets} does not exist; give a folder of {library.synth.suffix} files")
    broken: list[str] = []

    def drafts() -> Iterator[Draft]:
        for found in user_presets(library, presets):
            if isinstance(found, str):
                broken.append(found)
                screen.note(f"left out: {found}")
            else:
                yield found

    done = fill(library, drafts(), workers=workers, tell=_progress)
    if not done.read and not broken:
        screen.note(f"{presets} holds no {library.synth.suffix} file that the library does not have")
    _told(library, done, json, broken)


@app.command("search")
def search(
    given: Annotated[
        list[Path],
        typer.Argument(metavar="[DIR] SOUND", help="Folder of a library, by default your own or menura's; a sound."),
    ],
    note: Annotated[str, typer.Option("--note", help="Key that it plays; listened for by default.")] = "",
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the presets into this folder.")] = None,
    synth: Annotated[str, typer.Option("--synth", help="Whose library, where none is given.")] = "vital",
    force: Force = False,
    json: Json = False,
) -> None:
    """List the patches that sound most like a sound, nearest first."""
    from menura.audio import read_audio
    from menura.features.pitch import estimate_note
    from menura.library.library import Library
    from menura.note import parse_pitch
    from menura.storage import write_folder

    if len(given) > 2:
        raise InputError(f"{len(given)} paths; give a library's folder and a sound, or a sound alone")
    library = Library.open(given[0]) if len(given) == 2 else Library.default(synth)
    audio = read_audio(given[-1]).to_mono().resample(44_100).trim()
    estimate = estimate_note(audio, pitch=parse_pitch(note) if note else None)
    hits = library.search(audio, estimate.pitch if estimate.pitched or note else None, n)
    names = [
        f"{rank:02d}-{Path(hit.path).stem or hit.number}{library.synth.suffix}" for rank, hit in enumerate(hits, 1)
    ]
    if out is not None:
        bodies = [library.synth.write(library.preset(hit.number)) for hit in hits]
        write_folder(out, dict(zip(names, bodies, strict=True)), force=force)
    rows = [
        {"number": hit.number, "name": hit.name, "file": hit.path, "distance": hit.distance, "note": hit.note}
        for hit in hits
    ]
    if json:
        screen.emit({"hits": rows})
        return
    table = screen.table("distance", "patch", "name", "file", numbers=("distance", "patch"))
    for row in rows:
        distance, number, name, path = (row[key] for key in ("distance", "number", "name", "file"))
        table.add_row(f"{distance:.2f}", str(number), screen.verbatim(str(name)), screen.verbatim(str(path)))
    screen.show(table)


@app.command("info")
def info(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of the library, by default your own or menura's.")
    ] = None,
    synth: Annotated[str, typer.Option("--synth", help="Whose library, where none is given.")] = "vital",
    check: Annotated[bool, typer.Option("--check", help="Read every file and compare its checksum.")] = False,
    json: Json = False,
) -> None:
    """Tell what is in a library."""
    from menura.library.library import Library

    library = Library.open(folder) if folder else Library.default(synth)
    if check:
        library.check()
    size = sum(path.stat().st_size for path in library.folder.rglob("*") if path.is_file())
    about = {
        "folder": str(library.folder),
        "patches": len(library),
        "synth": library.card.synth,
        "notes": list(library.card.notes),
        "fast": library.card.ear.fast,
        "close": library.card.ear.close,
        "sources": library.sources,
        "user_files": len(library.paths()),
        "bytes": size,
    }
    if json:
        screen.emit(about)
        return
    for name, value in about.items():
        screen.out(f"{name}: {value}")


def _progress(done: Progress) -> None:
    screen.note(f"{done.read} read, {done.added} added, {len(done.left_out)} left out")


def _told(library: Library, done: Progress, json: bool, broken: list[str] | None = None) -> None:
    left_out = [*(broken or []), *done.left_out]
    if json:
        screen.emit({"patches": len(library), "added": done.added, "left_out": left_out})
        return
    for line in done.left_out:
        screen.note(f"left out: {line}")
    screen.out(f"{library.folder}: {len(library)} patches, {done.added} of them new, {len(left_out)} left out")
