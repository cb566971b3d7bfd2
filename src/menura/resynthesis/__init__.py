"""Analysis of a sound into partials, noise and contours, and writing them as a preset.

The way of the data: `partials` and `noise` take the sound apart (`analysis`), `gesture` says how it
is held, `contours` makes curves few points, `vital_writing` writes the patch, `correction` hears it
and sets the analysis right. Knows no search and no model.
"""

from menura.resynthesis.proposer import Draft, Resynthesis

__all__ = ["Draft", "Resynthesis"]
