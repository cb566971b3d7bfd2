"""The attribute-ranking benchmark: does distance between embeddings grow as one attribute of a sound grows?

Combes et al., "Neural proxies for sound synthesizers", 2025, section 4, on Vital: on each patch one control takes
rising values; the sounds are sorted by their L1 distance from the first and from the last of them, and each order is
held against the true one by Spearman's correlation. Owns scores and the run's file; draws nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from menura import storage
from menura.audio import Audio
from menura.errors import InputError, MenuraError, OutputError, UnknownNameError, WorkError
from menura.evaluation.ranking_attributes import ATTRIBUTES, NOTE, Attribute, ranking_presets
from menura.features.embedders import EMBEDDERS, Embedder, FrameEmbedder, embedder_of
from menura.synths.pool import RenderPool
from menura.synths.registry import synth_of
from menura.version import __version__

_log = logging.getLogger(__name__)

FILE = "ranking.json"
ALL = "all"
_SILENT = 1e-4
"""Peak below which a patch is not heard, -80 dBFS."""

Run = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """What the numbers depend on, besides the embedders."""

    attributes: tuple[str, ...] = tuple(ATTRIBUTES)
    presets: int = 10
    """Patches of each attribute."""
    steps: int = 20
    """Values on each patch."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.presets < 1 or self.steps < 3:
            raise InputError(f"{self.presets} presets of {self.steps} steps; give 1 or more, and 3 or more")
        if strange := [name for name in self.attributes if name not in ATTRIBUTES]:
            raise UnknownNameError(f"no attribute is called {strange[0]!r}; known: {', '.join(ATTRIBUTES)}")


def ranking_scores(vectors: ArrayLike) -> tuple[float, float]:
    """How well the distances of one patch's sounds follow its attribute.

    Args:
        vectors: shape (steps, dim), from the lowest value to the highest.

    Returns:
        Spearman's correlation of the step with the L1 distance from the first sound, and of the steps down with that
        from the last one, each from -1 to 1; 0 where all distances are the same.
    """
    rows = np.asarray(vectors, dtype=np.float32)
    steps = np.arange(len(rows), dtype=np.float64)
    return _spearman(_distances(rows, 0), steps), _spearman(_distances(rows, -1), steps[::-1])


def run_ranking(
    specs: Sequence[str],
    out: str | Path,
    settings: RankingSettings | None = None,
    *,
    workers: int | None = None,
    fetch: bool = False,
    force: bool = False,
    tell: Tell = lambda _line: None,
) -> Run:
    """Scores embedders on every attribute; the sounds of a patch are rendered once for all of them.

    What is done stands in ``ranking.json`` after every attribute: the same command goes on from there, and embedders
    can be added to a finished run.

    Args:
        specs: as `embedder_of` takes them; "all" is every one there is, in both reductions where it has frames.
        out: the folder of the run.
        settings: of the sounds.
        workers: engines at a time; None is one a core.
        fetch: whether missing weights may be downloaded. What is not there is listed with its reason either way.
        force: begin anew.
        tell: takes one line for each attribute.

    Returns:
        The content of ``ranking.json``: ``settings``, ``embedders`` (name to fingerprint, dim, licence, sample_rate),
        ``unavailable`` (spec to reason), ``scores`` (attribute to embedder to [[from lowest, from highest], ...]) and
        ``failed`` (attribute to embedder to reason).

    Raises:
        InputError: no embedder was named, or the folder holds a run of other settings.
        WorkError: none of the embedders is available, or a patch cannot be rendered.
        OutputError: the folder cannot be written.
    """
    settings = settings or RankingSettings()
    path = Path(out) / FILE
    run = _begun(path, settings, force=force)
    embedders, missing = available(specs, fetch=fetch)
    if not embedders:
        raise WorkError("none of the embedders is available: " + "; ".join(f"{k}: {v}" for k, v in missing.items()))
    run["unavailable"] = {**run["unavailable"], **missing}
    for embedder in embedders:
        _enter(run, embedder)
    _keep(path, run)
    with RenderPool("vital", workers) as pool:
        for name in settings.attributes:
            todo = [each for each in embedders if not _done(run, name, each.name)]
            if not todo:
                continue
            tell(f"{name}: {settings.presets} presets, {', '.join(each.name for each in todo)}")
            groups = _sounds(pool, ATTRIBUTES[name], settings)
            for embedder in todo:
                _score(run, name, embedder, groups)
            _keep(path, run)
    return run


def available(specs: Sequence[str], *, fetch: bool) -> tuple[list[Embedder], dict[str, str]]:
    """The embedders of some specs, and why those that cannot be had cannot.

    Raises:
        InputError: nothing was named, a name twice, or a spec means nothing.
    """
    if not specs:
        raise InputError(f"no embedder is named; give some of {', '.join(EMBEDDERS)}, or {ALL}")
    found: dict[str, Embedder] = {}
    missing: dict[str, str] = {}
    for spec in specs:
        for name in EMBEDDERS if spec == ALL else [spec]:
            try:
                embedder = embedder_of(name, fetch=fetch)
            except UnknownNameError:
                raise
            except MenuraError as error:
                missing[name] = str(error)
                continue
            found.setdefault(embedder.name, embedder)
            if spec == ALL and isinstance(embedder, FrameEmbedder) and embedder.framewise:
                flat = embedder.reduced("flat")
                found.setdefault(flat.name, flat)
    return list(found.values()), missing


def _distances(rows: NDArray[np.float32], place: int) -> NDArray[np.float64]:
    return np.array([np.sum(np.abs(row - rows[place]), dtype=np.float64) for row in rows])


def _spearman(distances: NDArray[np.float64], order: NDArray[np.float64]) -> float:
    ranks = rankdata(distances)
    # Where all are as far there is no order, and no correlation.
    return 0.0 if np.ptp(ranks) == 0.0 else float(np.corrcoef(ranks, order)[0, 1])


def _sounds(pool: RenderPool, attribute: Attribute, settings: RankingSettings) -> list[list[Audio]]:
    """The sounds of each patch. Patch i depends on the seed, the attribute and i alone."""
    place = list(ATTRIBUTES).index(attribute.name)
    groups = [
        ranking_presets(attribute, np.random.default_rng((settings.seed, place, number)), steps=settings.steps)
        for number in range(settings.presets)
    ]
    rendered = pool.render_many((preset, NOTE) for group in groups for preset in group)
    sounds: list[Audio] = []
    for number, result in enumerate(rendered):
        where = f"{attribute.name}, preset {number // settings.steps}, step {number % settings.steps}"
        if result.audio is None:
            raise WorkError(f"{where} cannot be rendered: {result.error}; try again, or another seed")
        if result.audio.peak < _SILENT:
            _log.info("%s is silent", where)
        sounds.append(result.audio.to_mono())
    return [sounds[start : start + settings.steps] for start in range(0, len(sounds), settings.steps)]


def _score(run: Run, attribute: str, embedder: Embedder, groups: Sequence[Sequence[Audio]]) -> None:
    try:
        scores = [ranking_scores(embedder.embed(group)) for group in groups]
    except MenuraError as error:
        run["failed"].setdefault(attribute, {})[embedder.name] = str(error)
        return
    run["failed"].get(attribute, {}).pop(embedder.name, None)
    run["scores"].setdefault(attribute, {})[embedder.name] = [[round(each, 6) for each in pair] for pair in scores]


def _begun(path: Path, settings: RankingSettings, *, force: bool) -> Run:
    """The run that the folder holds, or a new one."""
    told = json.loads(json.dumps(asdict(settings)))
    told |= {"note": asdict(NOTE), "engine": synth_of("vital").version}
    if path.exists() and not force:
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            before = run["settings"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputError(f"{path} cannot be read ({error}); --force to begin anew") from error
        if before != told:
            other = ", ".join(sorted(key for key in told if before.get(key) != told[key]))
            raise InputError(f"{path} holds a run of other settings ({other}); choose another folder, or --force")
        return run
    return {
        "settings": told, "menura": __version__, "embedders": {}, "unavailable": {}, "scores": {}, "failed": {},
    }  # fmt: skip


def _enter(run: Run, embedder: Embedder) -> None:
    """Notes an embedder; what another of its name had scored is dropped."""
    run["unavailable"].pop(embedder.name, None)
    before: Mapping[str, Any] = run["embedders"].get(embedder.name, {})
    if before and before["fingerprint"] != embedder.fingerprint:
        for scores in run["scores"].values():
            scores.pop(embedder.name, None)
    run["embedders"][embedder.name] = {
        "fingerprint": embedder.fingerprint,
        "dim": embedder.dim,
        "licence": embedder.licence,
        "sample_rate": embedder.sample_rate,
    }


def _done(run: Run, attribute: str, name: str) -> bool:
    return name in run["scores"].get(attribute, {})


def _keep(path: Path, run: Run) -> None:
    storage.write_text(path, json.dumps(run, indent=1, ensure_ascii=False) + "\n", force=True)
