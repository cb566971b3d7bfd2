"""`menura explain`: the steps that lead from the initial patch to a preset, each measured."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Workers, note_of, read_preset
from menura.errors import InputError, WorkError

if TYPE_CHECKING:
    from menura.explain.explaining import Progress
    from menura.explain.prose import Prose, Writer
    from menura.explain.tutorial import Tutorial
    from menura.note import Note
    from menura.preset import Preset

_MARKDOWN, _JSON = ".md", ".json"


def explain(
    preset: Annotated[
        Path, typer.Argument(help="A preset, or a folder that `menura match` wrote.", metavar="PRESET|MATCH")
    ],
    rank: Annotated[int, typer.Option("--rank", min=1, help="Which preset of a match; 1 is the nearest.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write: .md, or .json with all that is needed to redo it."),
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", help="Key at which the steps are measured.", show_default="C4; the match's")
    ] = None,
    velocity: Annotated[
        float | None, typer.Option("--velocity", help="How hard, above 0 and up to 1.", show_default="0.8; the match's")
    ] = None,
    hold: Annotated[
        float | None, typer.Option("--hold", help="Seconds from key down to key up.", show_default="1; the match's")
    ] = None,
    total: Annotated[float | None, typer.Option("--total", help="Seconds rendered.", show_default="hold + 1")] = None,
    synth: Annotated[str | None, typer.Option("--synth", help="Synth, where the file's ending does not tell.")] = None,
    prose: Annotated[bool, typer.Option("--prose", help="Let a language model write the steps; see --model.")] = False,
    model: Annotated[str, typer.Option("--model", help="The model's name at the endpoint.")] = "",
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="OpenAI-compatible address; Ollama's on this machine by default.")
    ] = "http://localhost:11434/v1",
    workers: Workers = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Tell how to build a preset, step by step, with what each step does to the sound.

    Of a match, the tutorial is also written beside the preset, as .tutorial.md and .tutorial.json. With --prose, each
    step goes to the model as text and comes back as a paragraph; one that names another number or control is refused,
    the template writes in its place, and the exit code is 1.
    """
    from menura import storage
    from menura.explain.matched import read_match
    from menura.explain.prose import Writer

    # Everything that can be refused is refused before the work begins.
    if out is not None and out.suffix.lower() not in (_MARKDOWN, _JSON):
        raise InputError(f"{out} is neither {_MARKDOWN} nor {_JSON}; choose one of the two")
    matched = read_match(preset, rank) if preset.is_dir() else None
    if matched is None and rank != 1:
        raise InputError(f"--rank chooses among the presets of a match; {preset} is one preset")
    path, player = (matched.preset, matched.synth) if matched else (preset, synth)
    wanted = [path.with_suffix(f".tutorial{suffix}") for suffix in (_MARKDOWN, _JSON)] if matched else []
    wanted = [out] if out else wanted
    for place in wanted:
        storage.check_writable(place, force=force)
    writer = Writer.of_environment(model, endpoint) if prose else None
    played = _note(note, velocity, hold, total, matched.note if matched else None)
    tutorial = explained(read_preset(path, player)[1], played, workers)
    written = _prose(tutorial, writer) if writer else None
    texts = _texts(tutorial, written)
    for place in wanted:
        storage.write_text(place, texts[place.suffix.lower()], force=force)
    if json:
        from menura.explain.tutorial import document

        files = [str(place) for place in wanted]
        screen.emit({**document(tutorial), **_prose_facts(written), "files": files})
    elif out is None:
        screen.show_markdown(texts[_MARKDOWN])
    if not json:
        for place in wanted:
            screen.note(f"written: {place}")
    if written and (written.refused or len(written.paragraphs) < len(tutorial.steps)):
        raise typer.Exit(1)


def _note(
    pitch: str | None, velocity: float | None, hold: float | None, total: float | None, matched: Note | None
) -> Note:
    """The note of the options, the rest as the match has it. Raises NoteError."""
    from dataclasses import replace

    from menura.note import parse_pitch

    if matched is None:
        return note_of(pitch or "C4", 0.8 if velocity is None else velocity, 1.0 if hold is None else hold, total)
    changed = {"velocity": velocity, "hold": hold, "total": total, "pitch": parse_pitch(pitch) if pitch else None}
    return replace(matched, **{name: value for name, value in changed.items() if value is not None})


def explained(preset: Preset, note: Note, workers: int | None) -> Tutorial:
    """The tutorial of a preset, with a word on stderr while it is made. Raises RenderError."""
    from menura.explain.explaining import explain as explaining
    from menura.synths.pool import RenderPool
    from menura.synths.registry import synth_of

    synth = synth_of(preset.synth)
    with RenderPool(synth.name, workers, "exact") as pool, _listening() as progress:
        return explaining(preset, synth, pool, note, progress=progress)


@contextlib.contextmanager
def _listening() -> Iterator[Progress]:
    """Says on stderr how many presets are played, where somebody looks."""
    console = screen.errors()
    if not console.is_terminal:
        yield lambda _count: None
        return
    with console.status("listening") as status:
        yield lambda count: status.update(f"listening to {count} presets on the way")


def _prose(tutorial: Tutorial, writer: Writer) -> Prose:
    """What the model wrote, as far as it is true; what it got wrong is told."""
    from menura.explain.prose import Prose, write_prose
    from menura.explain.tutorial import execute
    from menura.explain.vocabulary import vocabulary_of

    names = vocabulary_of(tutorial.initial, execute(tutorial)).names()
    try:
        with screen.errors().status(f"{writer.model} is writing") as status:
            found = write_prose(
                tutorial, writer, names, progress=lambda at, of: status.update(f"{writer.model} writes {at} of {of}")
            )
    except WorkError as error:
        screen.note(f"warning: {error}; the template has written the tutorial")
        return Prose()
    for number, faults in found.refused.items():
        screen.note(
            f"warning: {writer.model} was not true to step {number + 1} ({'; '.join(faults)}); "
            "the template has written it"
        )
    return found


def _prose_facts(written: Prose | None) -> dict[str, Any]:
    if written is None:
        return {}
    return {
        "prose": {str(number + 1): text for number, text in written.paragraphs.items()},
        "refused": {str(number + 1): list(faults) for number, faults in written.refused.items()},
    }


def _texts(tutorial: Tutorial, written: Prose | None) -> dict[str, str]:
    """What is written, by ending."""
    import json

    from menura.explain.template import to_markdown
    from menura.explain.tutorial import document

    facts = {**document(tutorial), **_prose_facts(written)}
    return {
        _MARKDOWN: to_markdown(tutorial, written.paragraphs if written else None),
        _JSON: json.dumps(facts, ensure_ascii=False, allow_nan=False, indent=1) + "\n",
    }
