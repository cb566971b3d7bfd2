"""`menura dataset`: corpora of rendered presets, made, told of and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers
from menura.cli.render_progress import RenderProgress
from menura.cli.stopped import StoppedEarlyError
from menura.errors import CorpusError, InputError
from menura.note import Note, parse_pitch

app = typer.Typer(help="Corpora of rendered presets: Parquet shards for libraries and models.", no_args_is_help=True)

Corpus = Annotated[str, typer.Argument(help="Folder of a corpus, or its fsspec address.")]


class DamagedError(CorpusError):
    """The check worked; the corpus is damaged."""

    exit_code = 1


@app.command("render")
def dataset_render(
    count: Annotated[int, typer.Option("--count", min=1, help="Presets.")],
    out: Annotated[str, typer.Option("--out", "-o", help="Folder or fsspec address; an unfinished one is continued.")],
    prior: Annotated[str, typer.Option("--prior", help="Sampler that draws them.")] = "human",
    synth: Annotated[str, typer.Option("--synth", help="Whose presets.")] = "vital",
    notes: Annotated[str, typer.Option("--notes", help="Keys with commas; each preset is played at each.")] = "C2,C4",
    velocities: Annotated[str, typer.Option("--velocities", help="With commas, above 0 and up to 1.")] = "0.8",
    hold: Annotated[float, typer.Option("--hold", help="Seconds from key down to key up.")] = 1.0,
    total: Annotated[float, typer.Option("--total", help="Seconds that are rendered.")] = 2.0,
    embedders: Annotated[str, typer.Option("--embedders", help="Names with commas; '' for none.")] = "mel128",
    audio: Annotated[bool, typer.Option("--audio", help="Keep the sounds too (FLAC, 24 bits).")] = False,
    rate: Annotated[int, typer.Option("--rate", help="Hz of the renders.")] = 44_100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all chance comes from.")] = 0,
    shard_size: Annotated[
        int | None, typer.Option("--shard-size", min=1, help="Presets in a file; chosen by --count otherwise.")
    ] = None,
    workers: Workers = None,
    ray: Annotated[
        str | None, typer.Option("--ray", help="Render on Ray: auto, local, or the address of a cluster.")
    ] = None,
    json: Json = False,
) -> None:
    """Render a corpus; stopped at any point, the same command goes on.

    The bytes of its files depend on these options alone, never on the number of workers or where they are.
    """
    from menura.datasets.plan import plan_of
    from menura.datasets.rendering import render_corpus

    played = [
        Note(parse_pitch(pitch), _velocity(velocity), hold, total)
        for pitch in _names(notes)
        for velocity in _names(velocities)
    ]
    plan = plan_of(
        count,
        prior,
        synth,
        seed=seed,
        notes=played,
        embedders=_names(embedders),
        audio=audio,
        sample_rate=rate,
        shard_size=shard_size,
    )
    try:
        with RenderProgress(plan) as progress:
            manifest = render_corpus(plan, out, workers=workers, ray=ray, tell=progress.show)
    except KeyboardInterrupt:
        raise StoppedEarlyError(f"stopped; the finished shards stay in {out}, the same command goes on") from None
    if json:
        screen.emit({key: value for key, value in manifest.items() if key != "shards"} | {"out": out})
        return
    screen.out(
        f"{out}: {manifest['items']:,} presets, {manifest['rows']:,} renders in {plan.shards:,} shards, "
        f"{manifest['size'] / 1e6:,.1f} MB; {_rejected(manifest['rejected'])}"
    )


@app.command("info")
def dataset_info(corpus: Corpus, json: Json = False) -> None:
    """What a corpus is, and how far it is; reads no row."""
    from menura.datasets.corpus import Corpus as Opened

    opened = Opened(corpus)
    plan, there = opened.plan, len(opened.names)
    facts = {key: opened.manifest[key] for key in ("items", "rows", "size", "rejected")} if opened.manifest else {}
    if json:
        screen.emit(
            {"corpus": opened.place.address, "shards": there, "of": plan.shards, **facts, "plan": plan.record()}
        )
        return
    rows = {
        "corpus": opened.place.address,
        "state": "whole" if opened.manifest and there == plan.shards else f"{there} of {plan.shards} shards are there",
        "presets": f"{plan.count:,} of {plan.synth}, prior {plan.prior}, seed {plan.seed}",
        "notes": "; ".join(f"{note.name} at {note.velocity:g}" for note in plan.notes),
        "each": f"held {plan.notes[0].hold:g} s of {plan.notes[0].total:g} s, {plan.sample_rate} Hz",
        "keeps": ", ".join(["vector", "routes", "preset", *plan.embedders, *(["flac"] if plan.audio else [])]),
        **{key: str(value) for key, value in plan.fingerprints.items()},
    }
    if facts:
        rows["size"] = f"{facts['rows']:,} rows, {facts['size'] / 1e6:,.1f} MB; {_rejected(facts['rejected'])}"
    table = screen.table("", "")
    for name, value in rows.items():
        table.add_row(screen.verbatim(name), screen.verbatim(value))
    screen.show(table)


@app.command("check")
def dataset_check(
    corpus: Corpus,
    picture: Annotated[Path | None, typer.Option("--picture", help="PNG to draw: levels, lengths, embeddings.")] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Read all of a corpus: is every byte as it was written, and what is in it? Exit code 1 where it is damaged."""
    from menura import storage
    from menura.datasets.corpus import Corpus as Opened
    from menura.datasets.corpus_check import as_record, check_corpus

    opened = Opened(corpus)
    if picture:
        storage.check_writable(picture, force=force)
    found = check_corpus(opened)
    record = as_record(found, opened)
    if picture and found.rows:
        from menura.report.corpus_plots import draw_corpus

        storage.write_bytes(picture, draw_corpus(found, opened.plan), force=force)
        screen.note(f"wrote {picture}")
    for name, why in found.damaged.items():
        screen.note(f"{name}: {why}")
    if found.damaged:
        raise DamagedError(
            f"{len(found.damaged)} of {opened.plan.shards} shards are damaged: {', '.join(found.damaged)}"
        )
    if json:
        screen.emit(record)
        return
    unfinished = f", {len(found.missing)} still to be rendered" if found.missing else ""
    screen.out(
        f"{opened.place.address}: {found.shards} shards are as they were written{unfinished}; {found.items:,} presets, "
        f"{found.rows:,} renders, {found.size / 1e6:,.1f} MB; {_rejected(found.rejected)}; {found.duplicates} twins"
    )
    table = screen.table("", "5%", "median", "95%", numbers=("5%", "median", "95%"))
    for name, shares in found.statistics().items():
        table.add_row(name, *(f"{value:.2f}" for value in shares.values()))
    screen.show(table)


def _velocity(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"velocity {text!r} is no number; give some above 0 and up to 1, with commas") from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _rejected(counts: dict[str, int]) -> str:
    return f"draws replaced: {', '.join(f'{count} {why}' for why, count in counts.items()) or 'none'}"
