"""A preset in words: what matters in it, and the steps that lead to it, each measured. Knows no screen and no page."""

from menura.explain.explaining import explain
from menura.explain.tutorial import Change, Effect, Shift, Step, Tutorial, execute

__all__ = ["Change", "Effect", "Shift", "Step", "Tutorial", "execute", "explain"]
