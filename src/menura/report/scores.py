"""The scores of the answers as a table, each explained in a line. Knows no sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

METRICS: Mapping[str, tuple[str, str, bool]] = {
    "mss": ("MSS", "spectrum over time, in dB at three resolutions, whatever the loudness", False),
    "wmfcc": ("wMFCC", "timbre, with the timing allowed to stretch", False),
    "sot": ("SOT", "where in the spectrum the energy sits", False),
    "rms": ("RMS", "shape of the loudness over time; 1 is the same shape", True),
    "logmel": ("LogMel", "spectrum over time, loudness included", False),
    "f0": ("F0", "pitch error in cents where there is a pitch", False),
    "clap": ("CLAP", "cosine between the text and the sound", True),
    "loudness": ("Loudness", "louder (+) or softer (-) than the target, in LU", False),
}
"""Of each known score: its title, what it listens to, and whether higher is nearer."""
WORD = "how far it goes this way; 1 is all the way"
"""Of a score that is a word of the user's."""


def score_table(answers: Sequence[tuple[float, Mapping[str, float]]], words: Sequence[str] = ()) -> str:
    """HTML table of distance and scores, one column for each answer; `words` are scores by the words asked for."""
    if not answers:
        return ""
    names = [name for name in METRICS if any(name in scores for _, scores in answers)]
    names += [name for name in words if name not in names and any(name in scores for _, scores in answers)]
    names += sorted({name for _, scores in answers for name in scores} - set(names))
    head = "".join(f'<th scope="col">{number}</th>' for number in range(1, len(answers) + 1))
    rows = _score_row(
        "Distance", "what the ranking went by; lower is nearer", [distance for distance, _ in answers], False
    )
    for name in names:
        title, hint, higher = METRICS.get(name, (f"“{name}”", WORD, True) if name in words else (name, "", False))
        rows += _score_row(title, hint, [scores.get(name) for _, scores in answers], higher)
    return f"""<section aria-labelledby="scores"><h2 id="scores">Scores</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="scores"><table>
<thead><tr><th scope="col">Score</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>
<p class="hint">Lower is nearer, except where it says otherwise. The nearest of each row is bold.</p></section>"""


def _score_row(title: str, words: str, values: Sequence[float | None], higher: bool) -> str:
    known = [value for value in values if value is not None]
    best = (max if higher else min)(known, key=abs if title == "Loudness" else None, default=None)
    cells = "".join(
        "<td>-</td>"
        if value is None
        else f'<td class="best">{value:.3g}</td>'
        if value == best
        else f"<td>{value:.3g}</td>"
        for value in values
    )
    hint = f"<small>{escape(words)}{'; higher is nearer' if higher else ''}</small>" if words else ""
    return f'<tr><th scope="row">{escape(title)}{hint}</th>{cells}</tr>'
