"""Search of a proxy's settings by Optuna: first evenly, then near the best. Knows no synth and no command line.

Source: Combes et al., "Neural proxies for sound synthesizers", 2025, appendix A.3.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from menura.errors import InputError, WorkError
from menura.storage import hash_bytes
from menura.training.loop import Progress
from menura.training.proxy_inputs import ProxyInputs
from menura.training.proxy_run import Judge, ProxySettings, train_proxy
from menura.training.rows import Rows
from menura.training.settings import Machine


def search_settings(
    rows: Rows,
    validation: Rows,
    inputs: ProxyInputs,
    settings: ProxySettings,
    folder: Path,
    judge: Judge,
    *,
    even: int,
    near: int,
    machine: Machine | None = None,
    tell: Callable[[int, ProxySettings, float], None] | None = None,
) -> ProxySettings:
    """The settings of the highest MRR of a short run; goes on where it was stopped.

    Searched are the learning rate, Adam's first two numbers, the decay of weights and the warm-up.

    Args:
        rows: trained on.
        validation: judged on.
        inputs: what the proxy sees.
        settings: of each run, but for what is searched.
        folder: of the study.
        judge: as `train_proxy` takes it.
        even: trials by a Sobol sequence (quasi-Monte Carlo).
        near: trials by a tree-structured Parzen estimator after them.
        machine: where it runs.
        tell: called after each trial with its number, settings and MRR.

    Raises:
        InputError: Optuna is not installed, or the study is of another search.
    """
    try:
        import optuna
    except ImportError as error:
        raise InputError(f"Optuna is not installed ({error}); pip install 'menura[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps([asdict(settings), rows.fingerprint, validation.fingerprint, inputs.space.fingerprint])
    name = f"proxy {hash_bytes(told.encode())[:16]}"
    journal = optuna.storages.journal.JournalFileBackend(str(folder / "study.journal"))
    storage = optuna.storages.JournalStorage(journal)
    study: Any = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)

    def tried(trial: Any) -> float:
        chosen = replace(
            settings,
            rate=trial.suggest_float("rate", 1e-4, 1e-2, log=True),
            betas=(trial.suggest_float("beta_1", 0.8, 0.95), trial.suggest_float("beta_2", 0.95, 0.9999)),
            decay=trial.suggest_float("decay", 1e-6, 1e-1, log=True),
            warm_up=trial.suggest_float("warm_up", 0.0, 0.2),
        )
        last: list[Progress] = []
        try:
            run = folder / name.replace(" ", "-") / f"{trial.number:04d}"
            train_proxy(rows, validation, inputs, chosen, run, judge, last.append, machine=machine)
        except WorkError as error:
            # A rate that is too high is an answer too.
            raise optuna.TrialPruned(str(error)) from error
        if tell:
            tell(trial.number, chosen, last[-1].judged["mrr"])
        return last[-1].judged["mrr"]

    with warnings.catch_warnings():
        # It says so of itself since 2022.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sobol = optuna.samplers.QMCSampler(scramble=True, seed=settings.seed)
    samplers = ((sobol, even), (optuna.samplers.TPESampler(seed=settings.seed), even + near))
    for sampler, trials in samplers:
        study.sampler = sampler
        done = sum(trial.state.is_finished() for trial in study.trials)
        if done < trials:
            study.optimize(tried, n_trials=trials - done)
    best = study.best_params
    betas = (best["beta_1"], best["beta_2"])
    return replace(settings, rate=best["rate"], betas=betas, decay=best["decay"], warm_up=best["warm_up"])
