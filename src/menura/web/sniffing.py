"""What a sound file begins with. A first look that costs nothing; whether it can be used, the reader finds out."""

from __future__ import annotations

_HEAD = 16
"""Bytes that are looked at."""


def looks_like_sound(head: bytes) -> bool:
    """True where the first bytes are those of WAV, AIFF, FLAC, Ogg or MP3, whatever the file is called.

    Source: the magic numbers of each format's specification; an MP3 begins with an ID3 tag or eleven set bits.
    """
    head = head[:_HEAD]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC")
    if head[:4] in (b"fLaC", b"OggS") or head[:3] == b"ID3":
        return True
    # A frame of MPEG audio: eleven set bits, a layer that is not the reserved one.
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0


def shown_name(given: str | None) -> str:
    """A name from a stranger as text to show: no path, no control characters, 80 characters at most."""
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    return shown_text(last.rsplit(".", 1)[0] if "." in last[1:] else last)[:80].strip() or "sound"


def shown_text(given: str) -> str:
    """Words from a stranger as text to show: one line, no control characters."""
    return "".join(letter for letter in " ".join(given.split()) if letter.isprintable())
