"""What every test may ask for: the shared data, a calm Hypothesis, a seeded generator."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]

# Deadlines measure the machine, not the code; CI derives its examples from the test, so that a failure repeats.
settings.register_profile("menura", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("menura"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "menura")


def shared_data_folder() -> Path:
    """`data` beside the checkout, or the folder named by MENURA_SHARED."""
    named = os.environ.get("MENURA_SHARED")
    return Path(named) if named else REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data_or_none() -> Path | None:
    """The shared data, or None where it is absent."""
    folder = shared_data_folder()
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data(shared_data_or_none: Path | None) -> Path:
    """Recordings and presets made by people; a test that asks for them is skipped where they are absent."""
    if shared_data_or_none is None:
        pytest.skip(f"the shared data folder is absent: {shared_data_folder()} (set MENURA_SHARED to its place)")
    return shared_data_or_none


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that is the same in every run."""
    return np.random.default_rng(20_261_121)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter, where pytest's own are closed to all but one."""
    folder = Path(tempfile.mkdtemp(prefix="menura-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tiny_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of every pretrained embedder, in a folder for MENURA_EMBEDDERS."""
    for needed in ("torch", "transformers", "h5py"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -e '.[reference]'")
    import torch

    from tiny_networks import save_all

    # Threads of many workers on few cores wait for each other longer than they work.
    torch.set_num_threads(1)
    return save_all(tmp_path_factory.mktemp("networks"))


AsNobody = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def as_nobody() -> AsNobody:
    """A context without root's rights: modes of files mean nothing to root."""

    @contextlib.contextmanager
    def without_rights() -> Iterator[None]:
        if os.name != "posix" or os.geteuid() != 0:
            yield
            return
        os.seteuid(65_534)
        try:
            yield
        finally:
            os.seteuid(0)

    return without_rights


# What continuous integration skips would be lost unseen.
_unseen: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes a test that continuous integration left out."""
    _note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Notes a file of tests that continuous integration left out."""
    _note_skip(report)


def _note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    left_out = report.skipped and not hasattr(report, "wasxfail")
    if os.environ.get("CI") and left_out:
        _unseen.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run of continuous integration that skipped a test."""
    if _unseen and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why."""
    for line in _unseen:
        terminalreporter.write_line(f"skipped, but may not be where CI is set: {line}", red=True)
