"""What is known of Vital's patches, as matching asks for it. Owns nothing but the meeting of the files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from menura.matching.candidate import Candidate
from menura.matching.forecasting import FirstOf
from menura.matching.idiom import Idiom, Start, Variant
from menura.matching.pool import Task
from menura.matching.target import Target
from menura.matching.vital import starts
from menura.matching.vital.active import active_names
from menura.matching.vital.loudness import at_target_loudness, with_room
from menura.matching.vital.outline import Outline
from menura.matching.vital.refit import Refit
from menura.matching.vital.variants import variants
from menura.preset import Preset
from menura.synths.vital.voice import FINE_KNOBS, KNOBS


class VitalIdiom(Idiom):
    """Stock tables, family-wise voices and a forecast of their sound."""

    start_share = 0.08
    """A forecast has picked the starts: few are enough."""
    picks_starts = True
    ranges: Mapping[str, tuple[float, float]] = {knob.name: (knob.low, knob.high) for knob in (*KNOBS, *FINE_KNOBS)}

    def starts(self, task: Task, rng: np.random.Generator, n: int) -> Iterable[Start]:
        """Draws of each family, of which a forecast has picked and improved the promising."""
        return starts.vital_starts(task.target, task.constraints.base, rng, n)

    def random(self, task: Task, rng: np.random.Generator, n: int) -> Iterable[Preset]:
        """Every knob uniform over its useful range, any table."""
        return starts.random_patches(task.target, task.constraints.base, rng, n)

    def variants(self, task: Task, preset: Preset, rng: np.random.Generator, n: int) -> list[Variant]:
        """Another table, filter, route ..."""
        del task
        return variants(preset, rng, n)

    def refit(self, target: Target) -> FirstOf:
        """The forecast that picks the starts; for patches of other wirings, that of their outline."""
        return FirstOf(Refit(target), Outline(target))

    def active(self, preset: Preset) -> Set[str]:
        """Those of oscillators, filters and envelopes that are on and led somewhere."""
        return active_names(preset)

    def choices(self, preset: Preset) -> str:
        """Tables, switches, ends of routes."""
        tables = [table.get("name", "") for table in preset.blocks.get("settings", {}).get("wavetables", [])]
        return repr((tables, super().choices(preset)))

    def tuned(self, preset: Preset, semitones: float) -> Preset:
        """By the tuning of the voices, which reaches a semitone."""
        here = preset.values.get("voice_tune", 0.0)
        return preset.with_values(voice_tune=float(np.clip(here + semitones, -1.0, 1.0)))

    def with_room(self, preset: Preset) -> Preset:
        """By the master volume: the engine clips what leaves it at 2.1 of full scale."""
        return with_room(preset)

    def at_loudness(self, task: Task, candidate: Candidate) -> Preset:
        """By the master volume."""
        return at_target_loudness(task, candidate)

    def held_blocks(self, base: Preset, preset: Preset, locked: Set[str]) -> Mapping[str, Any]:
        """Tables, shapes and the sample belong to their oscillator, LFO and sampler."""
        own: dict[str, Any] = dict(preset.blocks["settings"])
        kept: Mapping[str, Any] = base.blocks["settings"]
        own["wavetables"] = [
            kept["wavetables"][n - 1] if f"osc_{n}_wave_frame" in locked else table
            for n, table in enumerate(own["wavetables"], 1)
        ]
        own["lfos"] = [
            kept["lfos"][n - 1] if f"lfo_{n}_frequency" in locked else shape for n, shape in enumerate(own["lfos"], 1)
        ]
        if "sample_level" in locked:
            own["sample"] = kept["sample"]
        return {**preset.blocks, "settings": own}
