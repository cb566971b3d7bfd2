"""Training of `timbre`, small: from rendered corpora of the toy synth to the network that ONNX Runtime runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.audio import Audio
from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.errors import CorpusError, InputError
from menura.features.embedders import embedder_of
from menura.features.embedders.timbre import CARD, WEIGHTS, PictureNetwork
from menura.features.semitones import BANDS, FRAMES
from menura.note import Note
from menura.storage import hash_file
from menura.training.pictures import EMBEDDER, Pictures, as_decibels, as_levels, read_pictures, twin_groups

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.timbre_network import TimbreNetwork, export_timbre  # noqa: E402
from menura.training.augmentation import Augmentation, augmented  # noqa: E402
from menura.training.contrastive import contrastive_loss  # noqa: E402
from menura.training.state import STATE  # noqa: E402
from menura.training.timbre_run import Progress, TimbreSettings, embedded, train  # noqa: E402

NOTES = tuple(Note(pitch, 0.8, 0.6, 1.5) for pitch in (48.0, 60.0, 67.0))
SETTINGS = TimbreSettings(steps=24, patches=12, width=4, dim=16, held=8, every=12, warm_up=0.1, rate=5e-3)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    # Threads of many workers on few cores wait for each other longer than they work.
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    found = []
    for seed in (0, 1):
        out = str(tmp_path_factory.mktemp("corpora") / str(seed))
        plan = plan_of(24, "uniform", "toy", seed=seed, notes=NOTES, embedders=(EMBEDDER,))
        render_corpus(plan, out, workers=1)
        found.append(out)
    return found


@pytest.fixture(scope="module")
def pictures(corpora: list[str]) -> Pictures:
    return read_pictures(corpora)


def weights_of(network: Any) -> np.ndarray:
    return np.concatenate([each.detach().numpy().ravel() for each in network.state_dict().values()])


def test_pictures_come_from_the_corpora_in_their_order(corpora: list[str], pictures: Pictures) -> None:
    assert pictures.levels.shape == (48, 3, FRAMES, BANDS)
    assert pictures.pitches[30].tolist() == [48.0, 60.0, 67.0]
    second = read_pictures(corpora[1:])
    np.testing.assert_array_equal(second.levels, pictures.levels[24:])
    assert second.fingerprint != pictures.fingerprint
    decibels = pictures.decibels(np.arange(4), 1)
    assert (decibels.max(axis=(1, 2)) == 0.0).all()
    np.testing.assert_array_equal(as_levels(decibels), pictures.levels[:4, 1])


def test_a_corpus_without_pictures_is_refused(tmp_path: Path) -> None:
    render_corpus(plan_of(2, "uniform", "toy", embedders=("mfcc40",)), str(tmp_path / "other"), workers=1)
    with pytest.raises(CorpusError, match="no column"):
        read_pictures([str(tmp_path / "other")])


def test_twins_are_found_wherever_they_stand(pictures: Pictures) -> None:
    levels = pictures.levels.copy()
    levels[40] = np.clip(levels[3].astype(int) + 1, 0, 160)
    levels[17] = levels[40]
    groups = twin_groups(Pictures(levels, pictures.pitches, ""), 1, 1.0)
    assert groups[3] == groups[17] == groups[40]
    plain = twin_groups(pictures, 1, 1.0)
    # By comparing each with each.
    seen = as_decibels(levels[:, 1])
    for first in range(len(seen)):
        for second in range(first):
            if np.abs(seen[first] - seen[second]).mean() < 1.0:
                assert groups[first] == groups[second]
    assert len(set(groups.tolist())) <= len(set(plain.tolist())) - 2


def test_twins_are_not_asked_to_lie_apart() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    scale = torch.tensor(10.0)
    alone = contrastive_loss(vectors[:3], vectors[:3], scale, torch.tensor([0, 1, 2]))
    # A fourth patch that is the third's twin adds nothing to what the others are asked.
    both = torch.cat([vectors[:3], vectors[2:3]])
    apart = contrastive_loss(both, both, scale, torch.tensor([0, 1, 2, 3]))
    together = contrastive_loss(both, both, scale, torch.tensor([0, 1, 2, 2]))
    assert together < apart - 0.2
    assert alone < 0.05 + together


def test_augmented_pictures_stay_pictures(pictures: Pictures) -> None:
    before = torch.from_numpy(pictures.decibels(np.arange(32), 0))
    always = Augmentation(equaliser=1.0, noise=1.0, early=1.0, short=1.0, dull=1.0, hidden=1.0)
    after = augmented(before, always, torch.Generator().manual_seed(1))
    assert after.shape == before.shape
    np.testing.assert_allclose(after.amax(dim=(1, 2)).numpy(), 0.0, atol=1e-3)
    assert float(after.min()) >= -80.0
    assert float((after - before).abs().mean()) > 3.0
    again = augmented(before, always, torch.Generator().manual_seed(1))
    assert torch.equal(after, again)
    never = Augmentation(0.0, noise=0.0, early=0.0, short=0.0, dull=0.0, hidden=0.0)
    np.testing.assert_allclose(augmented(before, never, torch.Generator()).numpy(), before.numpy(), atol=1e-3)


def test_it_learns_and_a_run_that_was_stopped_is_the_run_that_was_not(pictures: Pictures, tmp_path: Path) -> None:
    told: list[Progress] = []
    whole = train(pictures, SETTINGS, tmp_path / "whole", told.append)
    assert [each.step for each in told] == [12, 24]
    assert told[1].loss < told[0].loss - 0.1
    train(pictures, SETTINGS, tmp_path / "halves", until=9)
    halves = train(pictures, SETTINGS, tmp_path / "halves")
    np.testing.assert_array_equal(weights_of(halves), weights_of(whole))
    # What is held out is found better than by chance.
    assert told[1].found > 2 / SETTINGS.held


def test_a_state_of_another_run_is_refused(pictures: Pictures, tmp_path: Path) -> None:
    train(pictures, SETTINGS, tmp_path, until=1)
    with pytest.raises(InputError, match="other settings or data"):
        train(pictures.part(0, 40), SETTINGS, tmp_path)
    (tmp_path / STATE).write_bytes(b"broken")
    with pytest.raises(InputError, match="cannot be read"):
        train(pictures, SETTINGS, tmp_path)
    with pytest.raises(InputError, match="too few"):
        train(pictures.part(0, 15), SETTINGS, tmp_path / "new")


def test_onnx_runtime_gives_the_same_vectors(pictures: Pictures, tmp_path: Path) -> None:
    network = train(pictures, SETTINGS, tmp_path, until=2)
    export_timbre(network, tmp_path / WEIGHTS)
    heard = PictureNetwork.load(tmp_path / WEIGHTS)
    assert heard.dim == 16
    rows = np.arange(20)
    mine = heard(pictures.decibels(rows, 1))
    np.testing.assert_allclose(mine, embedded(network, pictures.levels[rows, 1]), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1.0, atol=1e-5)
    longer = np.pad(pictures.decibels(rows[:1], 1), ((0, 0), (0, 40), (0, 0)), constant_values=-80.0)
    with torch.inference_mode():
        expected = network(torch.from_numpy(longer)).numpy()
    np.testing.assert_allclose(heard(longer), expected, atol=1e-4)


def test_weights_without_their_card_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        export_timbre(TimbreNetwork(4, 16), tmp_path / WEIGHTS)
    with pytest.raises(InputError, match="weights are not here"):
        embedder_of(f"timbre={tmp_path}")
    (tmp_path / CARD).write_text(json.dumps({"sha256": "0" * 64, "licence": "MIT"}))
    with pytest.raises(InputError, match="export both again"):
        embedder_of(f"timbre={tmp_path}")
    card = {"sha256": hash_file(tmp_path / WEIGHTS), "licence": "MIT"}
    (tmp_path / CARD).write_text(json.dumps(card))
    embedder = embedder_of(f"timbre={tmp_path}")
    sound = Audio(0.1 * rng.standard_normal(30_000), 44_100)
    vectors = embedder.embed([sound, sound.gain(-12.0)])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    (tmp_path / WEIGHTS).write_bytes(b"broken")
    (tmp_path / CARD).write_text(json.dumps({**card, "sha256": hash_file(tmp_path / WEIGHTS)}))
    with pytest.raises(InputError, match="no ONNX file"):
        embedder_of(f"timbre={tmp_path}")
