"""`menura info`: what is in a preset or a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from menura.cli import screen
from menura.cli.options import Json, place_in_bank, preset_endings, read_preset


def info(
    file: Annotated[
        Path, typer.Argument(help="A preset (bank.syx#3: the third of a bank) or a sound.", metavar="PRESET|SOUND")
    ],
    json: Json = False,
) -> None:
    """Tell what a preset is made of, or what a sound plays."""
    if place_in_bank(file)[0].suffix.lower() in preset_endings():
        _preset(file, json)
    else:
        _sound(file, json)


def _preset(path: Path, json: bool) -> None:
    from menura.explain.settings import settings_that_matter

    synth, preset = read_preset(path)
    groups = settings_that_matter(preset, synth.init())
    about = {
        "file": str(path),
        "synth": preset.synth,
        "name": preset.name,
        "author": _text(preset.blocks.get("author")),
        "comment": _text(preset.blocks.get("comments")),
        "id": preset.id,
        "bytes": place_in_bank(path)[0].stat().st_size,
        "routes": len(preset.routes),
    }
    if json:
        settings = {group.title: {row.name: row.value for row in group.rows} for group in groups}
        screen.emit({"kind": "preset", **about, "settings": settings})
        return
    _facts({name: str(value) for name, value in about.items() if value not in ("", None)})
    for group in groups:
        screen.out(f"\n{group.title}")
        for row in group.rows:
            screen.out(f"  {row.name}: {row.value}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _sound(path: Path, json: bool) -> None:
    from menura.audio import measure_loudness, read_audio
    from menura.matching.target import Target
    from menura.note import note_name

    warnings: list[str] = []
    audio = read_audio(path, on_warning=warnings.append)
    level = measure_loudness(audio)
    target = Target.of(audio)
    estimate = target.estimate
    about: dict[str, Any] = {
        "file": str(path),
        "seconds": audio.seconds,
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "peak_dbfs": level.peak_dbfs,
        "rms_dbfs": level.rms_dbfs,
        "lufs": level.lufs,
        "clipped": any("clipped" in warning for warning in warnings),
        "pitched": estimate.pitched,
        "pitch": estimate.pitch,
        "pitch_name": note_name(estimate.pitch),
        "confidence": estimate.confidence,
        "sustaining": estimate.sustaining,
        "hold": target.note.hold,
        "release": estimate.release,
        "warnings": warnings,
    }
    if json:
        screen.emit({"kind": "sound", **about})
        return
    pitch = f"{about['pitch_name']} (MIDI {estimate.pitch:.2f}, confidence {estimate.confidence:.0%})"
    _facts(
        {
            "file": str(path),
            "format": f"{audio.channels} channel{'s' if audio.channels > 1 else ''} at {audio.sample_rate} Hz",
            "length": f"{audio.seconds:.2f} s",
            "level": f"peak {level.peak_dbfs:.1f} dBFS, {level.lufs:.1f} LUFS",
            "clipped": "yes" if about["clipped"] else "no",
            "pitch": pitch if estimate.pitched else "none was heard; --note sets one",
            "kind": "sustaining" if estimate.sustaining else "decaying",
            "note": f"held {target.note.hold:.2f} s, then {estimate.release:.2f} s of release",
        }
    )
    for warning in warnings:
        screen.note(warning)


def _facts(facts: dict[str, str]) -> None:
    table = screen.table("", "")
    table.show_header = False
    for name, value in facts.items():
        # Plain text: names may hold what looks like markup.
        table.add_row(name, screen.verbatim(value))
    screen.show(table)
