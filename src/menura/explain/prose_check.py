"""Does a paragraph say what its step says, and nothing else? Every number and every control is held against the data.

Knows no language model: whoever wrote the paragraph, the same is asked of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from menura.explain import texts
from menura.explain.template import heard, why
from menura.explain.tutorial import SWITCH, Change, Step, Tutorial

Number = tuple[Decimal, str]
"""A number and its unit as `texts.UNITS` names it; "" where it has none."""

_UNITS = "|".join(sorted((re.escape(unit) for unit in texts.UNITS), key=len, reverse=True))
_NUMBER = re.compile(rf"(?<![\w.])([-+−–]?)(\d+(?:\.\d+)?)(?:\s*({_UNITS})(?![a-z]))?", re.IGNORECASE)
_WORD = re.compile(r"\b(" + "|".join(texts.NUMBER_WORDS) + r")\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ARROW = re.compile(r"\s*(?:→|->|⟶)\s*")
_MASK = "\x00"


def faults(paragraph: str, step: Step, tutorial: Tutorial, names: Iterable[str]) -> list[str]:
    """What is wrong with a paragraph about a step; nothing where it is true.

    - every control of the step is named, and the first numbers behind its name are its value's;
    - every number, in digits or words, is one of the step's, with the unit that it has there;
    - every measured number is told;
    - no control and no module is named that the step does not have (modules of the rest of the tutorial may be).

    Args:
        paragraph: what was written.
        step: what it is about.
        tutorial: the whole, whose modules may be spoken of.
        names: all controls and modules that the synth has.
    """
    text = _normal(paragraph)
    own = [change for change in step.changes if change.name != SWITCH]
    found = [fault for change in own for fault in _about(change, text, own)]
    modules = {one.title for one in tutorial.all_steps} | set(_parts(step.title))
    allowed_names = {*(change.name for change in own), *modules, *_ends(own)}
    bare = _masked(text, allowed_names)
    allowed = [*_numbers(_masked(_data(step), allowed_names)), *_numbers(_data(step))]
    for number in _numbers(bare):
        if not _allowed(number, allowed):
            found.append(f"it says {_said(number)}, which the step does not")
    measured = _numbers(_normal(heard(step)))
    told = list(_numbers(bare))
    found += [f"it leaves out {_said(number)}" for number in measured if not _allowed(number, told)]
    found += [f"it speaks of {name}, which the step does not have" for name in _foreign(bare, names, _data(step))]
    return list(dict.fromkeys(found))


def _about(change: Change, text: str, others: Sequence[Change]) -> Iterator[str]:
    """Faults of one control: not named, or followed by another value than its own."""
    places = list(_mentions(change.name, text))
    if not places:
        yield f"it leaves out {change.name}"
        return
    stops = sorted(
        place.start()
        for other in others
        if other is not change and other.name.casefold() not in change.name.casefold()
        for place in _mentions(other.name, text)
    )
    value = _normal(change.value)
    # A value may hold the name of another control: "Sync" is "Tempo Dotted".
    within = [range(place.start(), place.end()) for place in _mentions(value, text)]
    stops = [stop for stop in stops if not any(stop in span for span in within)]
    wanted = list(_numbers(value))
    behind = [
        text[place.end() : min((stop for stop in stops if stop >= place.end()), default=len(text))] for place in places
    ]
    if wanted:
        right = any(list(_numbers(piece))[: len(wanted)] == wanted or _begins(piece, wanted) for piece in behind)
    else:
        right = any(value.casefold() in piece.casefold() for piece in behind)
    if not right:
        yield f"it does not say that {change.name} is {change.value}"


def _begins(piece: str, wanted: Sequence[Number]) -> bool:
    """True where the first numbers of a text are the wanted ones, units left out."""
    first = list(_numbers(piece))[: len(wanted)]
    return len(first) == len(wanted) and all(
        one[0] == other[0] and one[1] in ("", other[1]) for one, other in zip(first, wanted, strict=True)
    )


def _mentions(name: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(_pattern(name), text, re.IGNORECASE)


def _pattern(name: str) -> str:
    words = re.escape(_normal(name)).replace(r"\ to\ ", r"\s+to\s+(?:the\s+)?").replace(r"\ ", r"\s+")
    return rf"(?<!\w){words}(?!\w|[./]\d)"  # "Tempo 2/1" does not name a "Tempo 2"


def _masked(text: str, names: Iterable[str]) -> str:
    """The text without these names, which may hold numbers themselves."""
    for name in sorted(names, key=len, reverse=True):
        if any(mark.isdigit() for mark in name) or " " in name:
            text = re.sub(_pattern(name), f" {_MASK} ", text, flags=re.IGNORECASE)
    return text


def _data(step: Step) -> str:
    """All that the step says."""
    rows = [f"{change.name} : {change.value}" for change in step.changes]
    return _normal(" ; ".join([step.title, *rows, why(step), heard(step)]))


def _parts(title: str) -> list[str]:
    """The names in a title: ``LFO 1 → Chorus Mix`` has two, ``Oscillator 1: unison`` is about ``Oscillator 1``."""
    return [part.strip() for part in re.split(r"→| and |:|,|\(|\)", title) if part.strip()]


def _ends(changes: Iterable[Change]) -> Iterator[str]:
    """The ends of routes."""
    for change in changes:
        yield from (end.strip() for end in _ARROW.split(change.name) if "→" in change.name)


def _numbers(text: str) -> Iterator[Number]:
    """Every number of a text, in digits first, then in words."""
    for match in _NUMBER.finditer(text):
        sign = "-" if match[1] in ("-", "−", "–") else ""
        yield Decimal(sign + match[2]).normalize() + 0, texts.UNITS.get((match[3] or "").lower(), "")
    for match in _WORD.finditer(text):
        yield Decimal(texts.NUMBER_WORDS[match[1].lower()]).normalize() + 0, ""


def _allowed(number: Number, data: Iterable[Number]) -> bool:
    """True where the data have the number, with the same unit if one is given here."""
    return any(number[0] == one[0] and (number[1] in ("", one[1])) for one in data)


def _said(number: Number) -> str:
    return f"{number[0]:f} {number[1]}".strip()


def _foreign(text: str, names: Iterable[str], data: str) -> Iterator[str]:
    """Names of the synth in a text that the step's data do not have."""
    for name in sorted(set(names), key=len, reverse=True):
        plain = _normal(name)
        if len(plain) < 3 or re.search(_pattern(plain), data, re.IGNORECASE):
            continue
        for match in re.finditer(_pattern(name), text, re.IGNORECASE):
            start = not text[: match.start()].strip() or text[: match.start()].rstrip()[-1] in ".!?:\n"
            single = " " not in plain
            named = match[0][0].isupper() and not start if plain.casefold() in texts.EVERYDAY else True
            if not single or named:
                text = text.replace(match[0], f" {_MASK} ")
                yield name
                break


def _normal(text: str) -> str:
    """One way to write arrows, thousands and spaces."""
    return " ".join(_THOUSANDS.sub("", _ARROW.sub(" to ", text.replace("*", "").replace("`", ""))).split())
