"""The page of a run: one HTML file with its tables, its plots, and every target beside its answers, to be heard.

Opens from a file and asks the network for nothing. Knows no statistics and reads no file but its own assets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from menura.evaluation.table_cells import Cell, Section
from menura.evaluation.table_sections import sections_of
from menura.report import sounds
from menura.report.benchmark_sounds import Heard, Sound
from menura.report.plot_style import Plot
from menura.report.shell import shell

Row = Mapping[str, Any]
_OPEN = ("How to read it", "Track ", "References")
"""Beginnings of the titles of what is shown at once; the rest unfolds."""
_KEPT = ("error", "skipped", "metrics", "verdict", "lineage", "seconds", "renders", "stopped_by")
"""Of a row, as it is."""


def render_benchmark(
    run: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, Row]],
    numbers: Mapping[str, Any],
    heard: Mapping[str, Heard],
    plots: Sequence[Plot],
    notes: Sequence[str] = (),
) -> str:
    """The page as HTML.

    Args:
        run: The content of ``run.json``.
        rows: Item key, then arm, to the row.
        numbers: What `menura.evaluation.table.summary` gave.
        heard: Item key to its sounds, the items in the order in which the page lists them at first.
        plots: To be shown.
        notes: What the reader should know of this page, such as plots that could not be drawn.
    """
    arms = ", ".join(escape(name) for name in numbers["arms"])
    state = "" if numbers["finished"] else f" Not finished: {numbers['rows']} of {numbers['expected']} rows."
    body = f"""<header>
<p class="brand">menura <span>benchmark</span></p>
<h1>{escape(str(numbers["set"]))}</h1>
<p class="lead">{numbers["targets"]} targets, {len(numbers["arms"])} arms: {arms}.{state}</p>
{"".join(f'<p class="note">{escape(note)}</p>' for note in notes)}
<nav aria-label="Parts of this page"><a href="#tables">Tables</a>{'<a href="#plots">Plots</a>' if plots else ""}
<a href="#listen">Listen</a></nav>
</header>
<main>
<section id="tables" aria-label="Tables">{_tables(sections_of(run, numbers))}</section>
{_plots(plots)}
{_listening(run, numbers)}
</main>
{_player()}
<script type="application/json" id="data">{_json(_data(run, rows, numbers, heard))}</script>
{_stored(heard)}"""
    return shell(
        f"{numbers['set']} - menura benchmark",
        body,
        styles=("style.css", "benchmark.css"),
        scripts=("benchmark_pictures.js", "playhead.js", "benchmark.js"),
        # Linked sounds lie beside the page: 'self' where a server sends it, file: where it is opened from a disk.
        media="data: blob: 'self' file:",
    )


def leading_arm(numbers: Mapping[str, Any]) -> str:
    """The arm that the page sorts by at first: the nearest of the freest track, by the metric that no arm optimised.

    Empty where no matcher has answered yet.
    """
    better = next((m["better"] for m in numbers["metrics"] if m["name"] == numbers["judge"]), "lower")
    for track in ("any", "knobs"):
        means = {
            name: arm["metrics"][numbers["judge"]]["mean"]
            for name, arm in numbers["arms"].items()
            if arm["track"] == track and arm["n"] and arm["metrics"][numbers["judge"]]["mean"] is not None
        }
        if means:
            return (max if better == "higher" else min)(means, key=lambda name: means[name])
    return ""


def _json(content: Any) -> str:
    """JSON that stays data within a script element, whatever names it holds."""
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _tables(sections: Sequence[Section]) -> str:
    """Sections of level 1 with those below them; what is not needed at first sight unfolds."""
    found, group = "", ""
    for place, section in enumerate(sections):
        group += _section(section)
        last = place + 1 == len(sections) or sections[place + 1].level == 1
        if last:
            head = next(s for s in reversed(sections[: place + 1]) if s.level == 1)
            if head.title.startswith(_OPEN):
                found += f"<section>{group}</section>"
            else:
                found += f"<details><summary>{escape(head.title)}</summary>{group}</details>"
            group = ""
    return found


def _section(section: Section) -> str:
    folded = section.level == 1 and not section.title.startswith(_OPEN)
    heading = "" if folded else f"<h{section.level + 1}>{escape(section.title)}</h{section.level + 1}>"
    notes = "".join(f'<p class="hint">{escape(note)}</p>' for note in section.notes)
    if not section.rows:
        return heading + notes
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in section.columns)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in section.rows)
    kind = "" if section.numeric else ' class="words"'
    return (
        f'{heading}{notes}<div class="scroll" tabindex="0" role="region" aria-label="{escape(section.title)}">'
        f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[Cell]) -> str:
    first, *others = row
    cells = "".join(
        f'<td class="best">{_text(cell)}</td>' if cell.strong else f"<td>{_text(cell)}</td>" for cell in others
    )
    return f'<th scope="row">{escape(first.text)}</th>{cells}'


def _text(cell: Cell) -> str:
    """A cell with its interval on a line of its own."""
    head, bracket, rest = cell.text.partition(" [")
    return f"{escape(head)}<small>[{escape(rest)}</small>" if bracket else escape(cell.text)


def _plots(plots: Sequence[Plot]) -> str:
    if not plots:
        return ""
    figures = "".join(
        f"<figure><figcaption>{escape(plot.title)}</figcaption><picture>"
        f'<source media="(prefers-color-scheme: dark)" srcset="{sounds.data_uri(plot.dark, "image/png")}">'
        f'<img src="{sounds.data_uri(plot.light, "image/png")}" alt="{escape(plot.words)}"></picture></figure>'
        for plot in plots
    )
    return (
        '<section id="plots" aria-labelledby="plots-title"><h2 id="plots-title">Plots</h2>'
        f'<div class="charts">{figures}</div></section>'
    )


def _listening(run: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    leading = leading_arm(numbers)
    arms = "".join(
        f'<option value="{escape(name)}"{" selected" if name == leading else ""}>{escape(name)}</option>'
        for name in numbers["arms"]
    )
    metrics = "".join(f'<option value="{escape(m["name"])}">{escape(m["title"])}</option>' for m in numbers["metrics"])

    def choices(column: str) -> str:
        values = sorted({str(item.get(column) or "") for item in run["items"]} - {""})
        return "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)

    filters = "".join(
        f'<label>{title} <select id="{column}"><option value="">all</option>{choices(column)}</select></label>'
        for column, title in (("category", "Category"), ("source", "Source"), ("condition", "Condition"))
    )
    return f"""<section id="listen" aria-labelledby="listen-title"><h2 id="listen-title">Listen</h2>
<p class="hint">The target first, then each arm, brought to the target's loudness. Choose a sound and switch while it
plays: the playhead stays. Pictures appear below; a click in one seeks. Metrics are the judge's; † the arm
optimised it.</p>
<noscript><p class="note">Listening needs JavaScript; the sounds also lie beside this page as files.</p></noscript>
<form class="choices" aria-label="Order and choice of targets">
<label>Sort by <select id="metric">{metrics}</select></label>
<label>of arm <select id="arm"><option value="">the worst arm</option>{arms}</select></label>
<label>Order <select id="order"><option value="worst">worst first</option><option value="best">best first</option>
<option value="name">by name</option></select></label>
{filters}
<label class="check"><input type="checkbox" id="failures"> Only with failures</label>
<label>Find <input type="search" id="find" placeholder="part of a name"></label>
<output id="count" aria-live="polite"></output>
</form>
<div id="items"></div>
<button type="button" id="more" hidden>Show more</button>
</section>"""


def _player() -> str:
    """The bar at the foot, hidden until something is chosen."""
    return """<section class="deck" id="deck" aria-label="Player" hidden>
<div class="transport">
<button type="button" id="play" aria-label="Play">
<svg viewBox="0 0 24 24" aria-hidden="true">
<path class="icon-play" d="M7 4l13 8-13 8z"/><path class="icon-pause" d="M6 4h4v16H6zM14 4h4v16h-4z"/></svg>
</button>
<div class="sources" id="sources" role="group" aria-label="What you hear"></div>
<button type="button" id="swap" title="Switch between the target and the answer (X)">A/B</button>
</div>
<div class="timeline">
<input type="range" id="position" min="0" max="1" step="0.001" value="0" aria-label="Playhead, seconds">
<output id="clock" for="position"></output>
</div>
<div class="options"><strong id="heard-item"></strong>
<label><input type="checkbox" id="loop" checked> Loop</label>
<label><input type="checkbox" id="even" checked> Same loudness</label>
<span class="keys"><kbd>Space</kbd> play <kbd>X</kbd> A/B <kbd>T</kbd> target <kbd>1</kbd>-<kbd>9</kbd> arms
<kbd>N</kbd> <kbd>P</kbd> next, previous target</span></div>
</section>"""


def _data(
    run: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, Row]],
    numbers: Mapping[str, Any],
    heard: Mapping[str, Heard],
) -> dict[str, Any]:
    """What the script shows: items in their first order, arms in the run's."""
    arms = [
        {"name": name, "track": arm["track"], "optimised": arm["optimised"]} for name, arm in numbers["arms"].items()
    ]
    known = {str(item["key"]): item for item in run["items"]}
    columns = ("key", "id", "condition", "category", "source", "licence", "pitch", "judged_pitch")
    return {
        "arms": arms,
        "metrics": numbers["metrics"],
        "main": numbers["main"],
        "items": [
            {name: known[key].get(name) for name in columns}
            | {"target": _sound(place, "", found.target)}
            | {"rows": {arm: _row(place, arm, row, found) for arm, row in rows.get(key, {}).items()}}
            for place, (key, found) in enumerate(heard.items())
        ],
    }


def _row(place: int, arm: str, row: Row, found: Heard) -> dict[str, Any]:
    kept = {name: row[name] for name in _KEPT if row.get(name) is not None}
    if row.get("curve"):  # until the answer was there; a row's own seconds hold judging and playing too
        kept["seconds"] = row["curve"][-1][1]
    preset = row.get("files", {}).get("preset")
    return kept | {
        "sound": _sound(place, arm, found.answers.get(arm)),
        "preset": quote(str(preset)) if preset else None,
        "silent": bool(row.get("silent")),
    }


def _sound(place: int, arm: str, sound: Sound | None) -> dict[str, Any] | None:
    if sound is None:
        return None
    return {"gain": sound.gain_db, "link": sound.link, "id": _stored_id(place, arm) if sound.inside else None}


def _stored(heard: Mapping[str, Heard]) -> str:
    """The sounds as text that the browser does not touch until one is asked for."""
    return "".join(
        f'<script type="text/plain" id="{escape(_stored_id(place, arm))}">{sound.inside}</script>\n'
        for place, found in enumerate(heard.values())
        for arm, sound in (("", found.target), *found.answers.items())
        if sound is not None and sound.inside
    )


def _stored_id(place: int, arm: str) -> str:
    return f"sound-{place}-{arm}"
