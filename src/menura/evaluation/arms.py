"""The arms by name. Owns their lists of stages; knows no metric.

Another package adds its own under the entry-point group ``menura.arms``; a notebook by ``ARMS.register(name, arm)``,
which holds for runs within its own process (``workers=0``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from inspect import signature
from pathlib import Path
from typing import cast

from menura.errors import InputError
from menura.evaluation.arm import Arm, NotApplicableError
from menura.evaluation.references import External, NoiseFloor, Resampled
from menura.evaluation.stage_arm import StageArm
from menura.library.library import Library
from menura.matching.audition import Audition
from menura.matching.cmaes import CmaEsSearch
from menura.matching.fit import Fit
from menura.matching.learned import learned_stages
from menura.matching.predict import Predict
from menura.matching.resynthesise import Resynthesise
from menura.matching.retrieve import Retrieve
from menura.matching.stage import Stage
from menura.matching.starts import InitialPatch, RandomStarts
from menura.matching.tracks import stages_of
from menura.matching.vary import Vary
from menura.models.estimator import Estimator, open_estimator
from menura.models.shipped import default_model, folder_of
from menura.registry import Registry
from menura.synths.base import Synth
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of

UNLIMITED = 1_000_000
"""Renders of an arm that only seconds end."""
FIRST_DRAWS = 0.25
"""Share of the renders that CMA-ES spends on random patches, from the best of which it starts."""
NEAR_SIGMA = 0.05
"""First step of CMA-ES from patches that sound like the target: larger ones leave them at once (docs/log.md)."""
CHECKS = 3
"""Renders that are kept for the check of written presets."""
HITS = 0.08
"""Share of the renders that the library's hits take, where starts of other kinds follow."""


def _initial(_synth: Synth) -> list[Stage]:
    return [InitialPatch(), Audition()]


def _random(_synth: Synth) -> list[Stage]:
    return [RandomStarts(), Audition()]


def _cmaes(_synth: Synth) -> list[Stage]:
    return [RandomStarts(FIRST_DRAWS), Audition(), CmaEsSearch()]


def _resynthesis(synth: Synth) -> list[Stage]:
    if synth.name != "vital":
        raise NotApplicableError(f"resynthesis writes Vital presets, not those of {synth.name}")
    return [Resynthesise(), Audition()]


def _neighbour(synth: Synth) -> list[Stage]:
    return [Retrieve(_library(synth), share=1.0), Audition()]


def _cmaes_neighbour(synth: Synth) -> list[Stage]:
    return [*_neighbour_fit(synth), CmaEsSearch(sigma=NEAR_SIGMA)]


def _neighbour_fit(synth: Synth) -> list[Stage]:
    return [Retrieve(_library(synth), share=FIRST_DRAWS), Audition(), Fit()]


def _model_of(synth: Synth, kind: str, folder: str | None) -> Estimator:
    try:
        return _opened(synth.name, kind, folder)
    except InputError as error:
        if folder is not None:
            raise
        raise NotApplicableError(str(error)) from error


@cache
def _opened(synth: str, kind: str, folder: str | None) -> Estimator:
    """The package's model of a kind, or a folder's: opened once in each process, not for each row."""
    place = default_model(synth, kind) if folder is None else folder_of(folder)
    return open_estimator(place, patch_space(synth_of(synth)))


def _sampled(kind: str, n: int, *, routed: bool = True) -> Callable[[Synth], list[Stage]]:
    # No lambda: arms are sent to other processes.
    return partial(_samples, kind=kind, n=n, routed=routed)


def _samples(synth: Synth, kind: str, n: int, *, routed: bool, folder: str | None = None) -> list[Stage]:
    return [Predict(_model_of(synth, kind, folder), n, routed=routed), Audition()]


def _cmaes_flow(synth: Synth, *, folder: str | None = None) -> list[Stage]:
    model = Predict(_model_of(synth, "flow", folder), share=FIRST_DRAWS)
    return [model, Audition(), Fit(), CmaEsSearch(sigma=NEAR_SIGMA)]


def _cmaes_learned(synth: Synth, *, folder: str | None = None) -> list[Stage]:
    half = FIRST_DRAWS / 2.0
    model = Predict(_model_of(synth, "flow", folder), share=half)
    proposers = [model, Retrieve(_library(synth), share=half)]
    return [*proposers, Audition(), Fit(), Vary(model), Fit(), CmaEsSearch(sigma=NEAR_SIGMA)]


def _knobs_flow(synth: Synth, *, folder: str | None = None) -> list[Stage]:
    return learned_stages(synth, _model_of(synth, "flow", folder))


def _library(synth: Synth) -> Library:
    try:
        return _default_library(synth.name)
    except InputError as error:
        raise NotApplicableError(str(error)) from error


_default_library = cache(Library.default)
"""Opened once in each process, not for each row."""


def _knobs(synth: Synth) -> list[Stage]:
    return stages_of("knobs", synth)


def _knobs_library(synth: Synth) -> list[Stage]:
    return [Retrieve(_library(synth), share=HITS), *stages_of("knobs", synth)]


def _any(synth: Synth) -> list[Stage]:
    return stages_of("any", synth)


# Two renders are one that is heard and one that checks the written preset.
INIT = StageArm("init", "the synth's initial patch", "knobs", _initial, renders=2, optimised=())
RANDOM = StageArm("random", "one random patch at the target's pitch", "knobs", _random, renders=2, optimised=())
RANDOM_BEST = StageArm("random-best", "the best of as many random patches as there are renders", "knobs", _random)
CMAES = StageArm("cmaes", "CMA-ES on all active knobs, from the best of a quarter of random patches", "knobs", _cmaes)
NEIGHBOUR = StageArm("neighbour", "the nearest of the library's patches, rendered", "knobs", _neighbour)
NEIGHBOUR_FIT = StageArm(
    "neighbour-fit", "the nearest of the library's patches, their outline fitted to the target", "knobs", _neighbour_fit
)
CMAES_NEIGHBOUR = StageArm(
    "cmaes-neighbour",
    "CMA-ES on all active knobs, from the nearest of the library's patches, fitted",
    "knobs",
    _cmaes_neighbour,
)
KNOBS = StageArm("knobs", "menura's search over the synth's own controls", "knobs", _knobs)
KNOBS_LIBRARY = StageArm("knobs-library", "the same, from the library's nearest patches too", "knobs", _knobs_library)
RESYNTHESIS = StageArm(
    "resynthesis", "tables and contours written from the target, corrected by ear", "any", _resynthesis
)
FULL = StageArm("full", "the full matcher: resynthesis, then search", "any", _any)
FULL_1S, FULL_5S, FULL_20S, FULL_60S = (
    replace(
        FULL, name=f"full-{n}s", what=f"the full matcher for {n} s of one core", renders=UNLIMITED, seconds=float(n)
    )
    for n in (1, 5, 20, 60)
)
FLOW = StageArm("flow", "one sample of the flow over patches", "knobs", _sampled("flow", 1), renders=2, optimised=())
FLOW_8 = StageArm("flow-8", "the best of eight samples of the flow", "knobs", _sampled("flow", 8), renders=8 + CHECKS)
FLOW_8_UNROUTED = StageArm(
    "flow-8-unrouted",
    "the best of eight samples of the flow, their routes taken out",
    "knobs",
    _sampled("flow", 8, routed=False),
    renders=8 + CHECKS,
)
DIFFUSION_8 = StageArm(
    "diffusion-8", "the best of eight samples of the diffusion", "knobs", _sampled("diffusion", 8), renders=8 + CHECKS
)
REGRESSION = StageArm(
    "regression", "the likeliest patch of the regression", "knobs", _sampled("regression", 1), renders=2, optimised=()
)
AST = StageArm(
    "ast",
    "the likeliest patch of the Audio Spectrogram Transformer",
    "knobs",
    _sampled("ast", 1),
    renders=2,
    optimised=(),
)
CMAES_FLOW = StageArm(
    "cmaes-flow", "CMA-ES on all active knobs, from the best samples of the flow, fitted", "knobs", _cmaes_flow
)
CMAES_LEARNED = StageArm(
    "cmaes-learned",
    "CMA-ES on all active knobs, from the flow's samples, the library's nearest patches, and variations of both",
    "knobs",
    _cmaes_learned,
)
KNOBS_FLOW = StageArm(
    "knobs-flow",
    "menura's search over the synth's own controls, from the flow and its variations too",
    "knobs",
    _knobs_flow,
)
NOISE_FLOOR = NoiseFloor()
RESAMPLED = Resampled()

ARMS: Registry[Arm] = Registry(
    "arm",
    "menura.arms",
    {
        arm.name: f"menura.evaluation.arms:{attribute}"
        for attribute, arm in (
            ("NOISE_FLOOR", NOISE_FLOOR),
            ("RESAMPLED", RESAMPLED),
            ("INIT", INIT),
            ("RANDOM", RANDOM),
            ("RANDOM_BEST", RANDOM_BEST),
            ("CMAES", CMAES),
            ("NEIGHBOUR", NEIGHBOUR),
            ("NEIGHBOUR_FIT", NEIGHBOUR_FIT),
            ("CMAES_NEIGHBOUR", CMAES_NEIGHBOUR),
            ("KNOBS", KNOBS),
            ("KNOBS_LIBRARY", KNOBS_LIBRARY),
            ("FLOW", FLOW),
            ("FLOW_8", FLOW_8),
            ("FLOW_8_UNROUTED", FLOW_8_UNROUTED),
            ("DIFFUSION_8", DIFFUSION_8),
            ("REGRESSION", REGRESSION),
            ("AST", AST),
            ("CMAES_FLOW", CMAES_FLOW),
            ("CMAES_LEARNED", CMAES_LEARNED),
            ("KNOBS_FLOW", KNOBS_FLOW),
            ("RESYNTHESIS", RESYNTHESIS),
            ("FULL", FULL),
            ("FULL_1S", FULL_1S),
            ("FULL_5S", FULL_5S),
            ("FULL_20S", FULL_20S),
            ("FULL_60S", FULL_60S),
        )
    },
)
"""Every arm that a table can hold."""


def arm_of(text: str) -> Arm:
    """An arm by its name.

    Args:
        text: the name; ``NAME=FOLDER`` takes an estimator of yours in place of the package's, in an arm that has one;
            ``external:NAME=FOLDER`` takes answers that another tool left in a folder.

    Raises:
        UnknownNameError: no such arm, or no such model; the message lists those that there are.
        InputError: an external arm without a name or folder, or an arm that asks no model.
    """
    if text.startswith("external:"):
        name, _, folder = text.removeprefix("external:").partition("=")
        if not name or not folder:
            raise InputError(f"{text!r} names no folder of answers; write external:NAME=FOLDER")
        return External(name, Path(folder))
    name, given, folder = text.partition("=")
    arm = ARMS.get(name)
    if not given:
        return arm
    if not folder:
        raise InputError(f"{text!r} names no folder of a model; write {name}=FOLDER")
    if not isinstance(arm, StageArm) or "folder" not in signature(arm.stages).parameters:
        raise InputError(f"the arm {name!r} asks no model; name one that does, e.g. flow-8={folder}")
    place = folder_of(folder).resolve()
    stages = cast(Callable[..., list[Stage]], arm.stages)
    return replace(arm, name=f"{name}-{place.name}", stages=partial(stages, folder=str(place)))


def arms_of(wanted: Iterable[str | Arm]) -> list[Arm]:
    """Arms in their order, those given by name looked up.

    Raises:
        InputError: none, or one twice.
        UnknownNameError: no such arm.
    """
    arms = [arm_of(arm) if isinstance(arm, str) else arm for arm in wanted]
    names = [arm.name for arm in arms]
    if not arms:
        raise InputError("no arm is named; menura bench arms lists them")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"the arm {twice[0]!r} is named twice; name each once")
    return arms
