"""Sound files: read and write `Audio`. One clear line for every file that cannot be used."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import struct
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio.sound import Audio
from menura.errors import AudioError
from menura.storage import write_bytes

MAX_SECONDS = 12.0
"""What is read of a long file: this much from where it begins to sound."""
MIN_SECONDS = 0.02
"""A shorter sound has nothing to match."""
SILENCE_PEAK = 1e-4
"""A sound that never passes this (-80 dBFS) is silent."""

_LOUDEST_PEAK = 100.0
_BLOCK_FRAMES = 1 << 16
_LOWEST_RATE = 1_000
_FORMATS = "WAV, FLAC, OGG, MP3 or AIFF"
# Decoders of these count by estimate; a header that promises a little more is no damage.
_ESTIMATED = {"MP3", "OGG"}
_WRITERS = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}

_log = logging.getLogger(__name__)


def read_audio(
    path: str | os.PathLike[str],
    *,
    sample_rate: int | None = None,
    max_seconds: float = MAX_SECONDS,
    on_warning: Callable[[str], None] | None = None,
) -> Audio:
    """A sound file as it is: every channel, no change of level, no trimming.

    A file longer than `max_seconds` is never loaded whole: what is quieter than -80 dBFS at its beginning is skipped,
    and `max_seconds` are read from there, with a warning. Memory stays bounded however long the file is.

    Args:
        path: WAV, FLAC, OGG, MP3 or AIFF, of any rate, width and channel count; told by its content, not its name.
        sample_rate: resample to this many Hz; None keeps the file's.
        max_seconds: the longest sound that is wanted.
        on_warning: called with one line for each thing the user should know (clipped, only a part used); the log
            gets it when nobody listens.

    Returns:
        The sound, at least `MIN_SECONDS` long, finite, and louder than silence.

    Raises:
        AudioError: missing, a folder, not readable, not a sound, cut short, empty, too short, silent, or with samples
            that are no numbers; one line that says what to do.
    """
    path = Path(path)
    warn = on_warning or _log.warning
    _check_file(path)
    samples, rate, total_seconds = _decode(path, max_seconds)
    if total_seconds > max_seconds:
        warn(f"{path} is {total_seconds:.1f} s long; the first {samples.shape[1] / rate:.1f} s that sound are used")
    audio = Audio(samples, rate)
    check_sound(audio, name=str(path))
    runs = _clipped_runs(audio.samples)
    if runs:
        warn(f"{path} is clipped in {runs} places; what is made of it will have that distortion too")
    return audio if sample_rate is None else audio.resample(sample_rate)


def check_sound(audio: Audio, *, name: str = "the sound") -> None:
    """Refuses a sound that nothing can be made of.

    Args:
        audio: the sound.
        name: what it is called in the message.

    Raises:
        AudioError: empty, too short, not finite, absurdly loud, or silent.
    """
    if audio.samples.shape[1] == 0:
        raise AudioError(f"{name} holds no samples; record or export it again")
    bad = ~np.isfinite(audio.samples)
    if bad.any():
        first = int(np.argmax(bad.any(axis=0))) / audio.sample_rate
        raise AudioError(
            f"{name} holds {int(bad.sum())} samples that are not numbers (NaN or infinite), "
            f"the first at {first:.3f} s; export it again"
        )
    if audio.sample_rate < _LOWEST_RATE:
        raise AudioError(f"{name} has a sample rate of {audio.sample_rate} Hz; export it at 8000 Hz or more")
    if audio.seconds < MIN_SECONDS:
        raise AudioError(
            f"{name} is {audio.seconds * 1000:.3g} ms long; give at least {MIN_SECONDS * 1000:.0f} ms of sound"
        )
    if audio.peak > _LOUDEST_PEAK:
        raise AudioError(f"{name} peaks at {audio.peak:.3g} times full scale; export it with levels within 1.0")
    if audio.peak < SILENCE_PEAK:
        level = f"{20 * np.log10(audio.peak):.0f} dBFS" if audio.peak > 0 else "no signal at all"
        raise AudioError(f"{name} is silent ({level}, at least -80 dBFS is needed); give a sound, or turn it up")


def write_audio(path: str | os.PathLike[str], audio: Audio, *, force: bool = False) -> Path:
    """Writes a sound file; whole, or not at all. Its ending chooses the format.

    ``.wav`` is 32-bit float, so that nothing is clipped or rounded and equal sounds make equal files; ``.flac`` and
    ``.aiff`` are 24 bits; ``.ogg`` and ``.mp3`` lose what their encoders lose.

    Args:
        path: the file; folders above it are made.
        audio: the sound, with no change of level.
        force: True replaces a file that is there.

    Raises:
        AudioError: an ending that cannot be written, or a peak above 1.0 in a format that would clip it.
        OutputError: the file exists and `force` is False, or the disk refuses.
    """
    path = Path(path)
    return write_bytes(path, encode_audio(audio, path.suffix), force=force)


def encode_audio(audio: Audio, suffix: str = ".wav") -> bytes:
    """The bytes that `write_audio` would write, e.g. for a page that carries its sounds.

    Args:
        audio: the sound.
        suffix: ``.wav``, ``.flac``, ``.aiff``, ``.ogg`` or ``.mp3``.

    Raises:
        AudioError: as `write_audio`.
    """
    try:
        kind, subtype = _WRITERS[suffix.lower()]
    except KeyError:
        raise AudioError(
            f"a sound cannot be written as {suffix or 'a file without an ending'}; "
            f"end its name in {', '.join(_WRITERS)}"
        ) from None
    if kind == "WAV":
        return _float_wav(audio)
    if audio.peak > 1.0:
        raise AudioError(f"the sound peaks at {audio.peak:.2f}, which {kind} would clip; write .wav, or turn it down")
    import soundfile

    target = io.BytesIO()
    try:
        soundfile.write(target, audio.samples.T, audio.sample_rate, format=kind, subtype=subtype)
    except (soundfile.SoundFileError, ValueError) as error:
        raise AudioError(
            f"{audio.channels} channels at {audio.sample_rate} Hz cannot be written as {kind} ({error}); write .wav"
        ) from error
    return target.getvalue()


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise AudioError(f"{path} is a folder; name one sound file in it")
        if not path.exists():
            raise AudioError(f"{path} does not exist; check the name")
        if not path.is_file():
            raise AudioError(f"{path} is not a file; name a sound file")
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty (0 bytes); record or export it again")
        with path.open("rb"):
            pass
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def _decode(path: Path, max_seconds: float) -> tuple[NDArray[np.float32], int, float]:
    """Samples (channels, n), their rate, and the length in seconds that the whole file has."""
    import soundfile

    missing = _missing_bytes(path)
    try:
        with _quiet_decoder(), soundfile.SoundFile(str(path)) as file:
            rate, promised, kind = int(file.samplerate), int(file.frames), str(file.format)
            wanted = max(1, round(max_seconds * rate))
            samples = _read_part(file, wanted) if promised > wanted else _read_all(file, promised)
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise AudioError(f"{path} cannot be read as a sound ({reason}); give {_FORMATS}") from error
    if promised <= wanted:
        there = samples.shape[1]
        slack = 0.05 * promised + 4 * 1152 if kind in _ESTIMATED else 0
        if promised - there > slack:
            missing = f"{promised / rate:.2f} s, {there / rate:.2f} s are there"
    if missing:
        raise AudioError(f"{path} is cut short: its header promises {missing}; copy or export it again")
    return samples, rate, promised / rate


@contextlib.contextmanager
def _quiet_decoder() -> Generator[None]:
    """Keeps what the MP3 decoder writes to the process's own error stream off the user's screen.

    libmpg123 comments on damaged files there, past Python; what matters of it comes back as an error. Other threads'
    words to that stream are lost for as long as one file is read.
    """
    try:
        kept = os.dup(2)
    except OSError:  # a process without that stream
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _read_all(file: Any, frames: int) -> NDArray[np.float32]:
    """The whole of a short file, in pieces, so that a header that promises too much allocates nothing."""
    pieces: list[NDArray[np.float32]] = []
    left = frames
    while left > 0:
        piece: NDArray[np.float32] = file.read(min(left, _BLOCK_FRAMES), dtype="float32", always_2d=True)
        if piece.shape[0] == 0:
            break
        pieces.append(piece)
        left -= piece.shape[0]
    if not pieces:
        return np.zeros((int(file.channels), 0), np.float32)
    return np.concatenate(pieces).T


def _read_part(file: Any, wanted: int) -> NDArray[np.float32]:
    """`wanted` frames from where a long file begins to sound."""
    pieces: list[NDArray[np.float32]] = []
    count = 0
    while count < wanted:
        piece: NDArray[np.float32] = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
        if piece.shape[0] == 0:
            break
        if not pieces:
            # NaN compares False with everything, so it counts as sounding and is told about afterwards.
            sounding = ~(np.abs(piece).max(axis=1) < SILENCE_PEAK)
            if not sounding.any():
                continue
            piece = piece[int(np.argmax(sounding)) :]
        pieces.append(piece)
        count += piece.shape[0]
    if not pieces:
        return np.zeros((int(file.channels), wanted), np.float32)
    return np.concatenate(pieces)[:wanted].T


def _missing_bytes(path: Path) -> str:
    """What a WAV or AIFF header promises beyond the end of the file, in words; empty where all is there.

    libsndfile quietly shortens such files. Recorders that stream write 0 or the largest number, which promises nothing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        kind, form = head[:4], head[8:]
        if kind == b"RIFF" and form == b"WAVE":
            order, wanted = "<", b"data"
        elif kind == b"FORM" and form in (b"AIFF", b"AIFC"):
            order, wanted = ">", b"SSND"
        else:
            return ""
        while len(header := file.read(8)) == 8:
            (length,) = struct.unpack(order + "I", header[4:])
            there = size - file.tell()
            if header[:4] == wanted:
                if there < length < 0xFFFF_FF00:
                    return f"{length} bytes of sound, {max(0, there)} are there"
                return ""
            file.seek(length + (length & 1), os.SEEK_CUR)
    return ""


def _clipped_runs(samples: NDArray[np.float32]) -> int:
    """Number of runs of 4 or more samples that stay on one extreme at full scale."""
    count = 0
    for channel in samples:
        peak = float(np.max(np.abs(channel), initial=0.0))
        if peak < 0.98:
            continue
        flat = np.concatenate(([False], np.abs(channel) >= peak * 0.9999, [False]))
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        count += int(np.count_nonzero(changes[1::2] - changes[::2] >= 4))
    return count


def _float_wav(audio: Audio) -> bytes:
    """32-bit float WAV without the time stamp that libsndfile adds, so that equal sounds make equal files."""
    channels, count = audio.samples.shape
    data = np.ascontiguousarray(audio.samples.T, dtype="<f4").tobytes()
    form = struct.pack(
        "<HHIIHHH", 3, channels, audio.sample_rate, audio.sample_rate * channels * 4, channels * 4, 32, 0
    )
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"fact" + struct.pack("<II", 4, count)
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
