"""`menura render`: a preset and a note in, a sound file out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menura.cli import screen
from menura.cli.options import Force, Json, Pitch, Velocity, note_of, read_preset


def render(
    preset: Annotated[Path, typer.Argument(help="Preset file, e.g. bass.vital, or bank.syx#3.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Sound file to write; its ending chooses the format.")],
    note: Pitch = "C4",
    velocity: Velocity = 0.8,
    hold: Annotated[float, typer.Option("--hold", help="Seconds from key down to key up.")] = 1.0,
    total: Annotated[float | None, typer.Option("--total", help="Seconds rendered.", show_default="hold + 1")] = None,
    rate: Annotated[int, typer.Option("--rate", min=8000, max=192_000, help="Samples a second.")] = 44_100,
    synth: Annotated[str | None, typer.Option("--synth", help="Synth, where the file's ending does not tell.")] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Play one note of a preset into a sound file."""
    from menura import storage
    from menura.audio import measure_loudness, write_audio

    played = note_of(note, velocity, hold, total)
    storage.check_writable(out, force=force)
    player, patch = read_preset(preset, synth)
    audio = player.render(patch, played, sample_rate=rate)
    write_audio(out, audio, force=force)
    level = measure_loudness(audio)
    if json:
        screen.emit(
            {"file": str(out), "seconds": audio.seconds, "sample_rate": rate, "peak_dbfs": level.peak_dbfs}
            | {"rms_dbfs": level.rms_dbfs, "lufs": level.lufs, "note": played.pitch, "synth": player.version}
        )
        return
    screen.out(f"{out}: {played.name}, {audio.seconds:.2f} s, peak {level.peak_dbfs:.1f} dBFS, {level.lufs:.1f} LUFS")
