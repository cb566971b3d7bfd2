"""The attribute-ranking benchmark: its scores, its patches, its runs and what is written of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from menura.audio import Audio
from menura.cli import main
from menura.errors import InputError, UnknownNameError, WorkError
from menura.evaluation.ranking import RankingSettings, available, ranking_scores, run_ranking
from menura.evaluation.ranking_attributes import ATTRIBUTES, DEPTH, ranking_presets
from menura.evaluation.ranking_table import ranked, ranking_markdown
from menura.features.embedders import EMBEDDERS
from menura.report.ranking import write_ranking
from menura.synths.registry import synth_of

SMALL = RankingSettings(("pitch", "cutoff"), presets=1, steps=4)


# ---------------------------------------------------------------------- scores


def test_an_embedding_that_follows_scores_one_and_one_that_turns_round_does_not() -> None:
    steps = np.arange(20.0)[:, None]
    assert ranking_scores(steps * [1.0, 0.5]) == pytest.approx((1.0, 1.0))
    assert ranking_scores(np.sqrt(steps)) == pytest.approx((1.0, 1.0))
    assert ranking_scores(np.zeros((20, 3))) == (0.0, 0.0)
    low, high = ranking_scores(
        np.stack([np.cos(steps[:, 0] / 19 * 2 * np.pi), np.sin(steps[:, 0] / 19 * 2 * np.pi)], 1)
    )
    assert max(abs(low), abs(high)) < 0.2


def test_scores_are_spearmans_correlations(rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((12, 5)).cumsum(axis=0).astype(np.float32)
    from_low = np.abs(vectors - vectors[0]).sum(axis=1)
    from_high = np.abs(vectors - vectors[-1]).sum(axis=1)
    expected = spearmanr(from_low, np.arange(12)).statistic, spearmanr(from_high, -np.arange(12)).statistic
    assert ranking_scores(vectors) == pytest.approx(expected)


# ---------------------------------------------------------------------- patches


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_control_rises_and_nothing_else_changes(name: str) -> None:
    attribute = ATTRIBUTES[name]
    patches = ranking_presets(attribute, np.random.default_rng(3))
    assert [patch.id for patch in patches] == [
        patch.id for patch in ranking_presets(attribute, np.random.default_rng(3))
    ]
    assert patches[0].id != ranking_presets(attribute, np.random.default_rng(4))[0].id
    if attribute.control == DEPTH:
        values = [patch.routes[0].amount for patch in patches]
    else:
        values = [patch.values[attribute.control] for patch in patches]
        others = [dict(patch.values) for patch in patches]
        for held in others:
            held.pop(attribute.control)
        assert all(held == others[0] for held in others)
    assert len(values) == 20
    assert (np.diff(values) > 0).all()
    assert min(values) >= 0.0 or max(values) <= 0.0 or attribute.low >= 0.0
    vital = synth_of("vital")
    for patch in (patches[0], patches[-1]):
        assert vital.read(vital.write(patch)) == patch
        assert vital.freeze(patch) == patch


# ---------------------------------------------------------------------- runs


class Deaf:
    """An embedder of another package that cannot do its work."""

    name, dim, fingerprint, sample_rate, licence = "deaf", 1, "0" * 64, 44_100, "none"

    def embed(self, sounds: Sequence[Audio]) -> NDArray[np.float32]:
        raise WorkError(f"deaf heard nothing of {len(sounds)} sounds")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranking")
    run_ranking(["mel128"], folder, SMALL, workers=2)
    return folder


def test_mel_bands_follow_pitch_and_cutoff(finished: Path) -> None:
    run = json.loads((finished / "ranking.json").read_text())
    (row,) = ranked(run)
    assert (row.name, row.dim, list(row.means)) == ("mel128", 128, ["pitch", "cutoff"])
    assert row.mean == pytest.approx((row.means["pitch"] + row.means["cutoff"]) / 2)
    assert row.mean > 0.6
    assert np.shape(run["scores"]["pitch"]["mel128"]) == (1, 2)


def test_a_run_goes_on_and_takes_in_others(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ranking.json").write_bytes((finished / "ranking.json").read_bytes())
    said: list[str] = []
    before = run_ranking(["mel128"], tmp_path, SMALL, tell=said.append)
    assert not said, "what was there was done again"
    run = json.loads((tmp_path / "ranking.json").read_text())
    del run["scores"]["cutoff"]
    (tmp_path / "ranking.json").write_text(json.dumps(run))
    monkeypatch.setattr(EMBEDDERS, "_registered", {"deaf": lambda _folder, _fetch: Deaf()})
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path / "cache"))
    after = run_ranking(["mel128", "deaf", "clap"], tmp_path, SMALL, workers=1, tell=said.append)
    assert [line.split(":")[0] for line in said] == ["pitch", "cutoff"]
    assert after["scores"]["cutoff"] == before["scores"]["cutoff"], "another number of workers, other numbers"
    assert after["failed"] == {each: {"deaf": "deaf heard nothing of 4 sounds"} for each in SMALL.attributes}
    text = ranking_markdown(after)
    assert "- deaf failed on pitch: deaf heard nothing" in text
    assert "- clap is not there: " in text
    assert "- deaf: unfinished." in text
    table, *figures = write_ranking(tmp_path, after)
    assert table.read_text() == text
    assert [path.name for path in figures] == ["ranking.png", "ranking.dark.png", "ranking.svg"]
    assert all(path.stat().st_size > 5_000 for path in figures)


def test_a_run_of_other_settings_is_not_mixed_in(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"other settings \(steps\)"):
        run_ranking(["mel128"], finished, RankingSettings(SMALL.attributes, 1, 5))
    (tmp_path / "ranking.json").write_text("{")
    with pytest.raises(InputError, match="--force to begin anew"):
        run_ranking(["mel128"], tmp_path, SMALL)


def test_the_command_says_the_same(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ended(*more: str) -> int:
        with pytest.raises(SystemExit) as end:
            main(["bench", "embedders", "--out", str(finished), "--presets", "1", "--steps", "4", *more])
        return int(end.value.code or 0)

    wanted = ("--attributes", "pitch,cutoff", "--json")
    assert ended("--embedders", "mel128", *wanted) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((finished / "ranking.json").read_text())
    assert (finished / "table.md").read_text().count("| mel128 |") == 1
    assert ended("--embedders", "mel18", *wanted) == 2
    assert "did you mean 'mel128'" in capsys.readouterr().err


def test_settings_and_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="known: attack, decay"):
        RankingSettings(("loudness",))
    with pytest.raises(InputError, match="give 1 or more, and 3 or more"):
        RankingSettings(steps=2)
    with pytest.raises(InputError, match="no embedder is named"):
        run_ranking([], tmp_path, SMALL)
    with pytest.raises(UnknownNameError, match="did you mean 'mel128'"):
        run_ranking(["mel18"], tmp_path, SMALL)
    assert not any(tmp_path.iterdir())


def test_all_are_those_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENURA_CACHE", str(tmp_path))
    monkeypatch.delenv("MENURA_EMBEDDERS", raising=False)
    found, missing = available(["all"], fetch=False)
    assert [each.name for each in found] == [
        "contour", "mel128", "mel128/flat", "mfcc40", "mfcc40/flat", "mstft", "mstft/flat", "semitones",
        "semitones/flat", "spectra-stats", "timbre",
    ]  # fmt: skip
    assert set(missing) == set(EMBEDDERS) - {each.name for each in found}
    assert all("weights are not here" in why or "is not installed" in why for why in missing.values())
