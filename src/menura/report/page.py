"""The report page: one HTML file that needs nothing beside it. Knows no engine and no search."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from menura.audio import Audio
from menura.explain.settings import SettingGroup, shown_synth
from menura.explain.tutorial import Tutorial
from menura.note import Note
from menura.report import pictures, sounds
from menura.report.scores import score_table
from menura.report.shell import shell
from menura.report.steps import steps_html


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the page offers: the copy beside it, and one inside it."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One candidate as the page shows it."""

    audio: Audio
    distance: float
    verdict: str
    scores: Mapping[str, float]
    lineage: Sequence[str] = ()
    settings: Sequence[SettingGroup] = ()
    tutorial: Tutorial | None = None
    preset: Attachment | None = None
    sound_name: str = ""
    """Name of the sound file beside the page; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the report tells."""

    target_name: str
    target: Audio | None
    """What was matched; None where words alone were given."""
    note: Note
    pitched: bool
    synth: str
    answers: Sequence[Answer]
    facts: Mapping[str, str] = field(default_factory=dict)
    """Small print: versions, seed, renders, seconds."""
    words: Sequence[str] = ()
    """Names of scores that tell how far a word is true."""


def render_page(page: Page) -> str:
    """The page as HTML; opens from a file, asks the network for nothing."""
    target = None if page.target is None else sounds.within_full_scale(page.target)
    playable = [sounds.within_full_scale(answer.audio) for answer in page.answers]
    every = ([] if target is None else [target]) + playable
    # What all are brought to: the target, or the softest of the answers, so that none is driven over full scale.
    level = min(map(pictures.level_db, playable), default=0.0) if target is None else pictures.level_db(target)
    gains = [level - pictures.level_db(audio) for audio in playable]
    seconds = max((audio.seconds for audio in every), default=1.0)
    target_db = None if target is None else pictures.spectrogram_db(target, seconds)
    cards = "".join(
        _card(number, answer, audio, gain, target, target_db, seconds)
        for number, (answer, audio, gain) in enumerate(zip(page.answers, playable, gains, strict=True), start=1)
    )
    body = f"""<header>
<p class="brand">menura <span>report</span></p>
<h1>{escape(page.target_name)}</h1>
<p class="lead">{_lead(page)}</p>
</header>
{_player(target, playable, gains, seconds)}
<main>
{_how_to_play(page)}
{_target_picture(target_db)}
{cards}
{score_table([(a.distance, a.scores) for a in page.answers], page.words)}
{_facts(page.facts)}
</main>"""
    title = f"{page.target_name} - menura report"
    return shell(title, body, styles=("style.css",), scripts=("playhead.js", "player.js"))


def _lead(page: Page) -> str:
    if not page.answers:
        return f"No {escape(shown_synth(page.synth))} preset came out of this run."
    count = len(page.answers)
    presets = "preset that answers" if count == 1 else "presets, nearest first, that answer"
    what = "this sound" if page.target is not None else "these words"
    return f"{count} {escape(shown_synth(page.synth))} {presets} {what}. {escape(page.answers[0].verdict)}"


def _player(target: Audio | None, playable: Sequence[Audio], gains: Sequence[float], seconds: float) -> str:
    first = [] if target is None else [("Target", "Target", target, 0.0)]
    sources = first + [
        (str(number), f"Answer {number}", audio, gain)
        for number, (audio, gain) in enumerate(zip(playable, gains, strict=True), start=1)
    ]
    other = "the target and the answer" if target is not None else "two answers"
    buttons = "".join(
        f'<button type="button" class="source" aria-pressed="{str(index == 0).lower()}"'
        f' aria-label="Hear {label}">{short}</button>'
        for index, (short, label, _, _) in enumerate(sources)
    )
    uris = sounds.audio_uris([audio for _, _, audio, _ in sources])
    players = "".join(
        f"<figure><figcaption>{label}</figcaption>"
        f'<audio controls preload="metadata" data-gain-db="{gain:.2f}" aria-label="{label}"'
        f' src="{uri}"></audio></figure>'
        for (_, label, _, gain), uri in zip(sources, uris, strict=True)
    )
    return f"""<section class="player" aria-label="Player" data-seconds="{seconds:.4f}" data-target="{len(first)}">
<div class="transport">
<button type="button" id="play" aria-label="Play">
<svg viewBox="0 0 24 24" aria-hidden="true">
<path class="icon-play" d="M7 4l13 8-13 8z"/><path class="icon-pause" d="M6 4h4v16H6zM14 4h4v16h-4z"/></svg>
</button>
<div class="sources" role="group" aria-label="What you hear">{buttons}</div>
<button type="button" id="swap" title="Switch between {other} (X)">A/B</button>
</div>
<div class="timeline">
<input type="range" id="position" min="0" max="{seconds:.4f}" step="0.001" value="0" aria-label="Playhead, seconds">
<output id="clock" for="position">0.00 / {seconds:.2f} s</output>
</div>
<div class="options">
<label><input type="checkbox" id="loop"{" checked" if seconds >= 1.0 else ""}> Loop</label>
<button type="button" class="small" id="loop-from" title="Loop from the playhead ([)">From here</button>
<button type="button" class="small" id="loop-to" title="Loop to the playhead (])">To here</button>
<button type="button" class="small" id="loop-all" hidden>Whole sound</button>
<label><input type="checkbox" id="even" checked> Same loudness</label>
<span class="keys"><kbd>Space</kbd> play <kbd>X</kbd> A/B <kbd>T</kbd> target <kbd>1</kbd>-<kbd>9</kbd> answers
<kbd>&larr;</kbd><kbd>&rarr;</kbd> seek <kbd>[</kbd><kbd>]</kbd> loop, or drag across a picture</span>
</div>
<div class="native">{players}</div>
</section>"""


def _how_to_play(page: Page) -> str:
    note = page.note
    cents = round(100 * (note.pitch - round(note.pitch)))
    tuning = f" {cents:+d} cents" if cents else ""
    facts = [
        (
            "Key",
            f"{note.name}{tuning}",
            f"MIDI {round(note.pitch, 2):g}" if page.pitched else "unpitched: any key near it will do",
        ),
        ("Hold", f"{note.hold:.2f} s", "then let go"),
        ("Velocity", f"{round(127 * note.velocity)}", "of 127; softer is quieter"),
        ("Length", f"{note.total:.2f} s", "as rendered here"),
    ]
    tiles = "".join(f"<div><dt>{title}</dt><dd>{value}<small>{hint}</small></dd></div>" for title, value, hint in facts)
    return f'<section aria-labelledby="how"><h2 id="how">How to play it</h2><dl class="tiles">{tiles}</dl></section>'


def _target_picture(target_db: pictures.Levels | None) -> str:
    """The target's spectrogram, kept once in the page; every card draws from it."""
    if target_db is None:
        return ""
    uri = sounds.data_uri(pictures.heat_png(target_db, float(target_db.max())), "image/png")
    return (
        '<svg width="0" height="0" class="store" aria-hidden="true"><defs>'
        f'<image id="target-picture" href="{uri}" width="1" height="1" preserveAspectRatio="none"/></defs></svg>'
    )


def _card(
    number: int,
    answer: Answer,
    audio: Audio,
    gain_db: float,
    target: Audio | None,
    target_db: pictures.Levels | None,
    seconds: float,
) -> str:
    answer_db = pictures.spectrogram_db(audio, seconds) + gain_db
    reference = float((answer_db if target_db is None else target_db).max())
    heat = sounds.data_uri(pictures.heat_png(answer_db, reference), "image/png")
    plots = _plot(f"Answer {number}", f"Spectrogram of answer {number}", _image(heat), seconds, source=number)
    legend = '<span class="legend heat"><i></i><span><b>-80</b><b>0 dB</b></span></span>'
    if target_db is not None:
        difference = sounds.data_uri(pictures.difference_png(target_db, answer_db, reference), "image/png")
        borrowed = '<svg viewBox="0 0 1 1" preserveAspectRatio="none"><use href="#target-picture"/></svg>'
        said = "Where the answer has more or less than the target"
        plots = _plot("Target", "Spectrogram of the target", borrowed, seconds, source=0) + plots
        plots += _plot("Difference", said, _image(difference), seconds, kind="difference")
        legend += (
            '<span class="legend difference"><i></i>'
            "<span><b>-30 dB, less</b><b>alike</b><b>more, +30 dB</b></span></span>"
        )
    lineage = f'<p class="lineage">{escape(" › ".join(answer.lineage))}</p>' if answer.lineage else ""
    return f"""<article class="card" aria-labelledby="answer-{number}">
<div class="title">
<span class="rank" aria-hidden="true">{number}</span>
<div><h2 id="answer-{number}">{escape(answer.preset.name if answer.preset else f"Answer {number}")}</h2>
<p class="verdict">{escape(answer.verdict)}</p>{lineage}</div>
<div class="number"><strong>{answer.distance:.2f}</strong><small>distance</small></div>
</div>
{_downloads(answer)}
<div class="plots">{plots}</div>
<div class="legends">{legend}</div>
{_envelopes(target, audio, gain_db, seconds, number)}
{_settings(answer.settings)}
{steps_html(answer.tutorial)}
</article>"""


def _downloads(answer: Answer) -> str:
    links = ""
    if answer.preset:
        packed = base64.b64encode(gzip.compress(answer.preset.body, 9, mtime=0)).decode("ascii")
        name = escape(answer.preset.name)
        links += (
            f'<a class="button" href="{_href(answer.preset.name)}" download="{name}" data-gzip="{packed}">'
            f"Download preset <small>{_size(len(answer.preset.body))}</small></a>"
        )
    if answer.sound_name:
        name = escape(answer.sound_name)
        links += f'<a class="button quiet" href="{_href(answer.sound_name)}" download="{name}">Sound</a>'
    return f'<p class="downloads">{links}</p>' if links else ""


def _href(name: str) -> str:
    return quote(name)


def _image(uri: str) -> str:
    return f'<img src="{uri}" alt="">'


def _plot(title: str, label: str, body: str, seconds: float, kind: str = "heat", source: int | None = None) -> str:
    rows = "".join(
        f'<span style="top:{100 * pictures.row_of_hz(hz):.1f}%">{name}</span>'
        for hz, name in ((100, "100"), (300, "300"), (1000, "1k"), (3000, "3k"), (10000, "10k"))
    )
    hears = "" if source is None else f' data-hears="{source}"'
    return (
        f"<figure{hears}><figcaption>{title}</figcaption>"
        f'<div class="plot {kind}" role="img" aria-label="{label}">{body}<div class="hz">{rows}</div>'
        f'<i class="region"></i><i class="playhead"></i></div>{_time_axis(seconds)}</figure>'
    )


def _time_axis(seconds: float) -> str:
    step = next((s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60) if seconds / s <= 5), 600)
    marks = [index * step for index in range(int(seconds / step + 1e-9) + 1) if index * step <= 0.96 * seconds]
    labels = "".join(f'<span style="left:{100 * at / seconds:.1f}%">{at:g}</span>' for at in marks)
    return f'<div class="time" aria-hidden="true">{labels}<span class="unit">s</span></div>'


def _envelopes(target: Audio | None, audio: Audio, gain_db: float, seconds: float, number: int) -> str:
    theirs = pictures.envelope_db(audio, seconds) + gain_db
    ours = theirs if target is None else pictures.envelope_db(target, seconds)
    top = float(max(ours.max(), theirs.max()))
    of, line, path = "", "", ""
    if target is not None:
        of, line = "the target and of ", '<span class="line target">target</span>'
        path = f'<path class="target" d="{pictures.line_path(ours, top)}"/>\n'
    levels = "".join(f'<span style="top:{100 * db / 60:.0f}%">-{db}</span>' for db in (15, 30, 45))
    return f"""<figure class="envelopes"><figcaption>Loudness over time
{line}<span class="line answer">answer {number}, {gain_db:+.1f} dB</span></figcaption>
<div class="plot wave" role="img" aria-label="Loudness of {of}answer {number} over time">
<svg viewBox="0 0 1000 100" preserveAspectRatio="none">
{path}<path class="answer" d="{pictures.line_path(theirs, top)}"/></svg>
<div class="hz">{levels}</div><i class="region"></i><i class="playhead"></i></div>{_time_axis(seconds)}</figure>"""


def _settings(groups: Sequence[SettingGroup]) -> str:
    if not groups:
        return ""
    total = sum(len(group.rows) for group in groups)
    blocks = "".join(
        f"<section><h3>{escape(group.title)}</h3>{_shape(group.shape)}<dl>"
        + "".join(f"<div><dt>{escape(row.name)}</dt><dd>{escape(row.value)}</dd></div>" for row in group.rows)
        + "</dl></section>"
        for group in groups
    )
    return (
        f"<details><summary>Settings that matter <small>{total} differ from the initial patch</small></summary>"
        f'<div class="settings">{blocks}</div></details>'
    )


def _shape(points: Sequence[tuple[float, float]]) -> str:
    """A drawn contour; points lie in 0 to 1, 1 at the top."""
    if not points:
        return ""
    path = "M" + "L".join(f"{1000 * x:.0f} {100 * (1 - y):.1f}" for x, y in points)
    return (
        '<svg class="shape" viewBox="0 -4 1000 108" preserveAspectRatio="none" role="img" aria-label="Its shape">'
        f'<path d="{path}"/></svg>'
    )


def _facts(facts: Mapping[str, str]) -> str:
    if not facts:
        return ""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<footer><h2>How it was made</h2><dl class="facts">{rows}</dl></footer>'


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB"
