"""The 145 controls of a DX7 voice: names, ranges, defaults, in the order of the instrument's own voice data.

A control's value is the byte that the instrument stores, so that nothing is rounded; `Control.shown` is what its
display says. Owns the table; knows no file and no engine.

Source: Yamaha, DX7 MIDI Data Format Sheet, "Voice Edit Buffer Data Format" (VCED), parameters 0 to 154.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from menura.space import Kind

OPERATORS = (1, 2, 3, 4, 5, 6)
NAME_SIZE = 10
"""Characters of a voice's name; they follow the controls."""
CURVES = ("-lin", "-exp", "+exp", "+lin")
MODES = ("ratio", "fixed")
WAVES = ("triangle", "saw down", "saw up", "square", "sine", "sample and hold")
SAMPLE_AND_HOLD = float(WAVES.index("sample and hold"))
ALGORITHMS = tuple(str(number) for number in range(1, 33))
TRANSPOSE_REST = 24
"""The stored transposition at which a key plays its own pitch."""
DETUNE_REST = 7
PITCH_REST = 50
"""The pitch envelope's level at which it moves nothing."""


@dataclass(frozen=True, slots=True)
class Control:
    """One byte of a voice."""

    name: str
    group: str
    high: int
    """Highest stored value; the lowest is 0."""
    default: int
    """What the instrument's INIT VOICE has."""
    kind: Kind = "continuous"
    choices: tuple[str, ...] = ()
    units: str = ""
    rest: int = 0
    """The stored value that is shown as 0, where the display counts in both directions."""

    def shown(self, value: float) -> str:
        """What the instrument's display says."""
        if self.choices:
            return self.choices[round(value)]
        return f"{round(value) - self.rest:+d}" if self.rest else str(round(value))


_OPERATOR: tuple[tuple[str, int, int, Kind, tuple[str, ...], str, int], ...] = (
    *((f"rate_{stage}", 99, 99, "continuous", (), "", 0) for stage in (1, 2, 3, 4)),
    *((f"level_{stage}", 99, 99 if stage < 4 else 0, "continuous", (), "", 0) for stage in (1, 2, 3, 4)),
    ("break_point", 99, 39, "continuous", (), "semitones above A-1", 0),
    ("left_depth", 99, 0, "continuous", (), "", 0),
    ("right_depth", 99, 0, "continuous", (), "", 0),
    ("left_curve", 3, 0, "choice", CURVES, "", 0),
    ("right_curve", 3, 0, "choice", CURVES, "", 0),
    ("rate_scaling", 7, 0, "continuous", (), "", 0),
    ("amp_mod_sensitivity", 3, 0, "continuous", (), "", 0),
    ("velocity_sensitivity", 7, 0, "continuous", (), "", 0),
    ("output_level", 99, 0, "continuous", (), "", 0),
    ("mode", 1, 0, "choice", MODES, "", 0),
    ("coarse", 31, 1, "continuous", (), "", 0),
    ("fine", 99, 0, "continuous", (), "percent of the ratio", 0),
    ("detune", 14, DETUNE_REST, "continuous", (), "", DETUNE_REST),
)
OPERATOR_FIELDS = tuple(row[0] for row in _OPERATOR)
"""What each operator has, in the order of the voice data."""


@cache
def controls() -> tuple[Control, ...]:
    """All controls, in the order of the voice data: operator 6 to operator 1, then what they share."""
    found = [_operator(number, row) for number in reversed(OPERATORS) for row in _OPERATOR]
    found += [Control(f"pitch_rate_{stage}", "pitch_envelope", 99, 99) for stage in (1, 2, 3, 4)]
    found += [
        Control(f"pitch_level_{stage}", "pitch_envelope", 99, PITCH_REST, rest=PITCH_REST) for stage in (1, 2, 3, 4)
    ]
    return (
        *found,
        Control("algorithm", "voice", 31, 0, "choice", ALGORITHMS),
        Control("feedback", "voice", 7, 0),
        Control("oscillator_sync", "voice", 1, 1, "toggle"),
        Control("lfo_speed", "lfo", 99, 35),
        Control("lfo_delay", "lfo", 99, 0),
        Control("lfo_pitch_depth", "lfo", 99, 0),
        Control("lfo_amp_depth", "lfo", 99, 0),
        Control("lfo_sync", "lfo", 1, 1, "toggle"),
        Control("lfo_wave", "lfo", 5, 0, "choice", WAVES),
        Control("pitch_mod_sensitivity", "lfo", 7, 3),
        Control("transpose", "voice", 48, TRANSPOSE_REST, units="semitones", rest=TRANSPOSE_REST),
    )


@cache
def control_of(name: str) -> Control:
    """A control by its name. Raises KeyError."""
    return {control.name: control for control in controls()}[name]


def _operator(number: int, row: tuple[str, int, int, Kind, tuple[str, ...], str, int]) -> Control:
    field, high, default, kind, choices, units, rest = row
    if field == "output_level" and number == 1:
        default = 99  # INIT VOICE: operator 1 alone is heard
    return Control(f"op{number}_{field}", f"operator_{number}", high, default, kind, choices, units, rest)
