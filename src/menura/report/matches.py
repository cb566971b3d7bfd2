"""From matches to the page: puts what was found into words. Knows no file names of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from menura.explain.settings import settings_that_matter, shown_synth
from menura.explain.template import shown
from menura.report.page import Answer, Attachment, Page, render_page
from menura.report.scores import METRICS
from menura.version import __version__

if TYPE_CHECKING:
    from menura.explain.tutorial import Tutorial
    from menura.matching.match import Match
    from menura.matching.target import Target
    from menura.matching.words.words import Words

_STOPPED = {
    "stages": "it had no more to try",
    "renders": "the limit of renders",
    "seconds": "the limit of time",
    "cancelled": "you stopped it",
}


def report_of(
    matches: Sequence[Match],
    target: Target,
    run: Mapping[str, Any],
    presets: Sequence[tuple[str, bytes]],
    sound_names: Sequence[str],
    tutorial: Tutorial | None = None,
) -> bytes:
    """The report as the bytes of an HTML file.

    Args:
        matches: the answers, nearest first.
        target: what was matched.
        run: `renders`, `seconds`, `stopped_by` and `track`, as far as they are known.
        presets: name and content of each match's preset file.
        sound_names: name of each match's sound file beside the report.
        tutorial: how the nearest is built, where it was asked for.
    """
    from menura.synths.registry import synth_of

    words = target.words
    synth = synth_of(matches[0].preset.synth) if matches else None
    initial = synth.init() if synth else None
    answers = [
        Answer(
            audio=match.audio,
            distance=match.distance,
            verdict=sentence(match),
            scores=match.scores,
            lineage=match.lineage,
            settings=settings_that_matter(match.preset, initial) if initial else (),
            preset=Attachment(name, body),
            sound_name=sound,
            tutorial=None if number else tutorial,
        )
        for number, (match, (name, body), sound) in enumerate(zip(matches, presets, sound_names, strict=True))
    ]
    page = Page(
        target_name=target.name or "A sound",
        target=target.audio if target.audible else None,
        note=matches[0].note if matches else target.note,
        pitched=target.estimate.pitched,
        synth=synth.name if synth else "",
        answers=answers,
        facts={**_asked(target.words), **_facts(matches, run)},
        words=tuple(name for name in matches[0].scores if name not in METRICS) if words and matches else (),
    )
    return render_page(page).encode()


def sentence(match: Match) -> str:
    """The verdict as a sentence, e.g. ``'Very close: 1.2 dB from the target.'``."""
    word = match.verdict.replace("the synth", shown_synth(match.preset.synth))
    word = word[:1].upper() + word[1:]
    mss = match.scores.get("mss")
    if mss is None:
        return f"{word}."
    if not match.reached:
        return f"{word}: {mss:.1f} dB from the target on average. Take it as a starting point."
    return f"{word}: {mss:.1f} dB from the target on average."


def _asked(words: Words | None) -> dict[str, str]:
    if words is None:
        return {}
    facts = {"Words": words.text, "Answered by": words.answered_by}
    for change in words.changes:
        before, wanted = (shown(change.wish.quantity, value) for value in (change.before, change.wanted))
        facts[f"“{change.wish.word}”"] = f"{_NAMES.get(change.wish.quantity, change.wish.quantity)} {before} → {wanted}"
    if words.warning:
        facts["Left out"] = words.warning
    return facts


_NAMES = {
    "brightness": "centre of the spectrum", "held": "level at key up", "length": "length", "tone": "periodic",
    "pitch_swing": "swing of the pitch", "level_swing": "swing of the level", "colour_swing": "swing of the brightness",
}  # fmt: skip


def _facts(matches: Sequence[Match], run: Mapping[str, Any]) -> dict[str, str]:
    facts = {"menura": __version__}
    if matches:
        facts |= {name: value for name, value in matches[0].versions.items() if name != "menura"}
        facts["Seed"] = str(matches[0].seed)
    if run.get("renders"):
        facts["Renders"] = f"{run['renders']} in {float(run.get('seconds', 0.0)):.1f} s"
    if run.get("stopped_by"):
        facts["Stopped by"] = _STOPPED.get(str(run["stopped_by"]), str(run["stopped_by"]))
    tracks = {
        "words": "words: patches of a library, then a search",
        "any": "any: wavetables and contours taken from the sound",
        "knobs": "knobs: stock wavetables only",
    }
    if run.get("track"):
        facts["Track"] = tracks.get(str(run["track"]), str(run["track"]))
    return facts
