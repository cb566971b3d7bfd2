"""The knob search with an estimator: its samples among the starts, its variations among the choices. Owns the list."""

from __future__ import annotations

from menura.matching.audition import Audition
from menura.matching.idiom import idiom_of
from menura.matching.knobs import KnobSearch
from menura.matching.predict import Predict
from menura.matching.rank import Rank
from menura.matching.stage import Stage
from menura.matching.starts import Starts
from menura.matching.vary import Vary
from menura.models.estimator import NOISY, Estimator
from menura.synths.base import Synth

SHARE = 0.06
"""Share of the renders that samples take where a forecast picks starts of its own."""
ALONE = 0.25
"""The same where starts would be blind draws, whose place the samples take."""


def learned_stages(synth: Synth, model: Estimator) -> list[Stage]:
    """The stages of the track `knobs` with an estimator of the synth."""
    picked = idiom_of(synth.name).picks_starts
    samples = Predict(model, share=SHARE if picked else ALONE)
    varied = Vary(samples).varied if model.kind in NOISY else None
    # Spare starts are drawn where there are no samples: near a preset that the user wants to stay with.
    return [samples, Starts(spare=not picked), Audition(), KnobSearch(varied=varied), Rank()]
