"""Sound matching in its parts: losses and schedules, a frozen proxy, presets of its coordinates, sounds of corpora."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.datasets.sampling import draw_preset, sampler_of
from menura.errors import CheckpointError, CorpusError, InputError
from menura.note import Note
from menura.space import ParameterSpace
from menura.synths.registry import synth_of
from recipes import recipe_named

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.preset_head import PresetHead  # noqa: E402
from menura.models.proxies import ENCODERS, Proxy, proxy_size  # noqa: E402
from menura.models.proxy_presets import ProxyPresets  # noqa: E402
from menura.models.spectrogram_cnn import CnnSize  # noqa: E402
from menura.models.tokens import SoftPresets  # noqa: E402
from menura.training.loss_schedule import loss_weights  # noqa: E402
from menura.training.matching_run import Examples, MatchingSettings, MatchingTask, train_matching  # noqa: E402
from menura.training.proxy_inputs import inputs_in, inputs_of  # noqa: E402
from menura.training.rows import Rows  # noqa: E402
from menura.training.settings import Machine  # noqa: E402
from menura.training.state import read_best  # noqa: E402
from menura.training.target_sounds import BANDS, FRAMES, read_targets  # noqa: E402

CPU = Machine(accelerator="cpu")
C4 = Note(60.0, 0.8, 1.0, 1.5)
SMALLEST = CnnSize((4, 8), 8, 12, 16)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def proxy_of(space: ParameterSpace, encoder: str = "HN-PT", dim: int = 6, seed: int = 0) -> Proxy:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Proxy(space, dim, proxy_size(encoder, 0.05)).eval()


def examples_of(space: ParameterSpace, count: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    vectors = space.sample(rng, count)
    pictures = rng.normal(-40.0, 20.0, (count, SMALLEST.frames, SMALLEST.bands)).astype(np.float16)
    heard = rng.standard_normal((count, 6)).astype(np.float32)
    return Examples(pictures, vectors, np.zeros((count, 0), dtype=np.float32), heard, f"drawn {count} {seed}")


# ---------------------------------------------------------------------- the losses and their schedules


def test_weights_are_the_papers() -> None:
    assert {loss_weights("ploss", step, 600) for step in range(600)} == {(1.0, 0.0)}
    for name, late in (("mix", (1.0, 1.0)), ("switch", (0.0, 1.0))):
        assert {loss_weights(name, step, 600) for step in range(201)} == {(1.0, 0.0)}
        assert {loss_weights(name, step, 600) for step in range(400, 600)} == {late}
    assert loss_weights("mix", 300, 600) == (1.0, 0.5)
    assert loss_weights("switch", 300, 600) == (0.5, 0.5)
    assert loss_weights("switch", 250, 600) == (0.75, 0.25)
    with pytest.raises(InputError, match="no loss schedule is called 'both'; there are ploss, mix, switch"):
        loss_weights("both", 0, 600)


def certain(space: ParameterSpace, vectors: np.ndarray) -> SoftPresets:
    """Presets without doubt, written by hand."""
    kinds = [each.kind for each in space.parameters]
    numbers = vectors[:, [place for place, kind in enumerate(kinds) if kind != "choice"]]
    rows = []
    for place, each in enumerate(space.parameters):
        if each.kind == "choice":
            rows.append(np.eye(each.steps, dtype=np.float32)[np.rint(vectors[:, place] * (each.steps - 1)).astype(int)])
    return SoftPresets(torch.from_numpy(numbers), torch.from_numpy(np.concatenate(rows, axis=1)))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_proxy_takes_certain_presets_as_it_takes_coordinates(encoder: str, rng: np.random.Generator) -> None:
    space = synth_of("toy").space
    proxy, vectors = proxy_of(space, encoder), space.sample(rng, 9)
    with torch.no_grad():
        found = proxy(certain(space, vectors))
        np.testing.assert_allclose(found.numpy(), proxy(torch.from_numpy(vectors)).numpy(), atol=1e-5)
    # And gradients come through every number and every position of a choice.
    soft = certain(space, vectors)
    parts = soft.numbers.requires_grad_(), soft.choices.requires_grad_()
    proxy(SoftPresets(*parts)).square().sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum(dim=0).gt(0.0).float().mean() > 0.9 for each in parts)


def test_the_parameter_loss_by_hand() -> None:
    space = synth_of("toy").space.subset("level", "wave", "filter_on")
    assert space.names == ("wave", "level", "filter_on")
    head = PresetHead(space, 4)
    # Log odds of level and filter_on, then logits of four waves.
    raw = torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 100.0, 0.0, 0.0, 100.0, 0.0]])
    wanted = torch.tensor([[1.0, 0.75, 1.0], [2.0 / 3.0, 0.5, 1.0]])
    found = {name: float(each) for name, each in head.loss(raw, wanted).items()}
    # A guess among four costs one, whatever their number.
    assert found == pytest.approx({"numbers": 0.125, "toggles": np.log(2.0) / 2.0, "choices": 0.5})
    np.testing.assert_allclose(head.vectors(raw)[1].numpy(), [2.0 / 3.0, 0.5, 1.0], atol=1e-6)
    soft = head.soft(raw, torch.tensor([[0.25], [0.5]]))
    np.testing.assert_allclose(soft.numbers.numpy(), [[0.5, 0.5, 0.25], [0.5, 1.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(soft.choices.numpy(), [[0.25] * 4, [0.0, 0.0, 1.0, 0.0]], atol=1e-6)


def test_the_first_answers_are_the_usual_presets(rng: np.random.Generator) -> None:
    space = synth_of("toy").space.subset("level", "wave", "filter_on")
    vectors = np.tile(np.array([[2.0 / 3.0, 0.2, 1.0]], dtype=np.float32), (50, 1))
    head = PresetHead(space, 4)
    head.begin_at(torch.from_numpy(vectors))
    found = head.vectors(head(torch.from_numpy(rng.standard_normal((8, 4)).astype(np.float32)))).detach()
    np.testing.assert_allclose(found.numpy(), vectors[:8], atol=0.1)


@pytest.mark.parametrize("encoder", ["HN-OH", "HN-PTGRU", "TFM"])
def test_gradients_reach_the_estimator_through_a_proxy_that_stays(encoder: str, tmp_path: Path) -> None:
    space = synth_of("toy").space
    proxy = proxy_of(space, encoder)
    before = {name: each.clone() for name, each in proxy.state_dict().items()}
    train, validation = examples_of(space, 32), examples_of(space, 4, 1)
    settings = MatchingSettings("switch", SMALLEST, steps=12, batch=8, rate=0.02, warm_up=0.0, checks=2)
    task = MatchingTask(space, proxy, train, validation, settings, lambda _: {"audio": 0.0})
    assert "embedding_weight" not in task.batch(3, np.random.default_rng(0))
    batch = {name: torch.as_tensor(each) for name, each in task.batch(11, np.random.default_rng(0)).items()}
    assert set(batch["parameter_weight"].tolist()) == {0.0}
    assert set(batch["embedding_weight"].tolist()) == {1.0}
    # Parameters have no say any more: the loss is the embedding's alone, and all of the network feels it.
    loss, told = task.loss(task.network.train(), batch)
    assert torch.equal(loss, told["embedding"])
    loss.backward()
    without = [name for name, each in task.network.named_parameters() if not each.grad.abs().sum() > 0.0]
    assert not without
    assert task.network.head.layer.weight.grad.abs().sum(dim=1).gt(0.0).float().mean() > 0.9
    train_matching(
        space, proxy, train, validation, settings, tmp_path, lambda _: {"audio": 0.0}, machine=CPU
    )  # fmt: skip
    assert all(torch.equal(each, before[name]) for name, each in proxy.state_dict().items())
    assert all(each.grad is None for each in proxy.parameters())


def test_it_learns_what_there_is_to_learn(tmp_path: Path) -> None:
    # The picture says the preset: its first rows are the coordinates.
    space = synth_of("toy").space.subset("level", "wave", "filter_on", "cutoff")
    train = examples_of(space, 256)
    pictures = np.zeros_like(train.pictures)
    for place in range(space.dim):
        pictures[:, :, 4 * place : 4 * place + 4] = 60.0 * train.vectors[:, place, None, None]
    proxy = proxy_of(space)
    with torch.no_grad():
        heard = proxy(torch.from_numpy(train.vectors)).numpy()
    train = replace(train, pictures=pictures, heard=heard)
    for schedule in ("ploss", "mix", "switch"):
        settings = MatchingSettings(schedule, SMALLEST, steps=240, batch=32, rate=0.01, checks=2)
        numbers: list[dict[str, float]] = []
        train_matching(
            space, proxy, train, replace(train, fingerprint="the same"), settings, tmp_path / schedule,
            lambda _: {"audio": 0.0}, lambda now, found=numbers: found.append(dict(now.judged)), machine=CPU,
        )  # fmt: skip
        first = MatchingTask(space, proxy, train, train, settings, lambda _: {"audio": 0.0})
        with torch.no_grad():
            usual = first.validate(first.network.eval())
        assert numbers[-1]["embedding"] < 0.5 * usual["embedding"]
        if schedule != "switch":
            assert numbers[-1]["choices"] < 0.5 * usual["choices"]


def test_a_run_that_was_stopped_is_the_run_that_was_not(tmp_path: Path) -> None:
    space = synth_of("toy").space
    train, validation = examples_of(space, 32), examples_of(space, 4, 1)
    settings = MatchingSettings("mix", SMALLEST, steps=12, batch=8, checks=3)

    def judge(vectors: np.ndarray) -> dict[str, float]:
        return {"audio": float(np.abs(vectors - validation.vectors).mean())}

    def run(folder: Path, until: int | None = None) -> dict[str, Any]:
        proxy = proxy_of(space)
        train_matching(space, proxy, train, validation, settings, folder, judge, machine=CPU, until=until)
        return read_best(folder, "audio")[0]

    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", 5)
    parts = run(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    settings = replace(settings, schedule="switch")
    with pytest.raises(InputError, match="other settings or data"):
        run(tmp_path / "whole")


def test_another_proxy_is_another_run(tmp_path: Path) -> None:
    space = synth_of("toy").space
    train = examples_of(space, 16)
    settings = MatchingSettings("ploss", SMALLEST, steps=2, batch=8)

    def task(proxy: Proxy) -> MatchingTask:
        return MatchingTask(space, proxy, train, train, settings, lambda _: {"audio": 0.0})

    assert task(proxy_of(space)).fingerprint == task(proxy_of(space)).fingerprint
    assert task(proxy_of(space)).fingerprint != task(proxy_of(space, seed=1)).fingerprint
    with pytest.raises(InputError, match="answers in 7 numbers, the sounds' embeddings have 6"):
        task(proxy_of(space, dim=7))


# ---------------------------------------------------------------------- from a proxy's coordinates to presets


def rows_of(name: str, prior: str, count: int, further: Any = None) -> tuple[list[Any], Rows]:
    synth = synth_of(name)
    presets = [draw_preset(sampler_of(prior, synth), synth, 5, index) for index in range(count)]
    more = [further.of(each) if further else np.zeros(0, dtype=np.float32) for each in presets]
    notes = np.tile(np.array([60.0, 0.8, 1.0, 1.5], dtype=np.float32), (count, 2, 1))
    notes[:, 0, 0] = 48.0
    rows = Rows(
        synth.space.encode_all(presets), np.stack(more), notes, np.zeros((count, 2, 3), dtype=np.float32),
        tuple(str(place) for place in range(count)), {"space": synth.space.fingerprint, "fingerprint": "f"},
    )  # fmt: skip
    return presets, rows


@pytest.mark.parametrize(("name", "prior"), [("toy", "uniform"), ("dx7", "uniform"), ("vital", "human")])
def test_presets_come_back_from_what_a_proxy_sees(name: str, prior: str) -> None:
    recipe_named("proxy_vital")
    further = recipe_named("proxy_rows").further_of(name)
    presets, rows = rows_of(name, prior, 12, further)
    source = synth_of(name).space
    inputs = inputs_of(source, rows, further.space if further else None)
    again = inputs_in(inputs.space, source, further.space if further else None)
    assert (again.plain, again.fields, again.slots) == (inputs.plain, inputs.fields, inputs.slots)
    assert (again.further, again.notes) == (inputs.further, inputs.notes)
    seen = again.of(rows, np.arange(12), np.full(12, 1))
    way = ProxyPresets(inputs.space, synth_of(name))
    assert way.note_of(seen).shape == (12, 1)
    assert way.estimated.dim == seen.shape[1] - 1
    for preset, back in zip(presets, way.presets(way.without_note(seen)), strict=True):
        plain = np.array([not each.slot for each in source.parameters])
        np.testing.assert_allclose(source.encode(back)[plain], source.encode(preset)[plain], atol=2e-6)
        # Routes move into the first slots; those without both ends move nothing.
        assert [replace(each, slot=0) for each in back.routes] == [
            replace(each, slot=0) for each in preset.routes if each.connected
        ]
        if name == "vital":
            for kind in ("wavetables", "lfos"):
                told = [[each["name"] for each in one.blocks["settings"][kind]] for one in (preset, back)]
                assert told[0] == told[1]


def test_a_route_without_an_end_is_none() -> None:
    toy = synth_of("toy")
    way = ProxyPresets(toy.space, toy)
    vector = toy.space.encode(toy.freeze(toy.init()))
    vector[toy.space.index("modulation_1_destination")] = 1.0
    vector[toy.space.index("modulation_1_amount")] = 0.9
    assert way.presets(vector)[0] == toy.freeze(toy.init())


def test_a_proxy_of_another_synth_or_version_is_refused() -> None:
    toy, dx7 = synth_of("toy"), synth_of("dx7")
    with pytest.raises(CheckpointError, match="a proxy of dx7 says nothing of toy; name one of toy"):
        ProxyPresets(dx7.space, toy)
    wider = ParameterSpace(
        "toy", [replace(each, high=each.high + 1.0) for each in toy.space.subset("cutoff").parameters]
    )
    with pytest.raises(CheckpointError, match="'cutoff' is not as this toy has it"):
        ProxyPresets(wider, toy)
    with pytest.raises(CheckpointError, match="train a proxy with this version"):
        inputs_in(wider, toy.space)


# ---------------------------------------------------------------------- the sounds


def test_sounds_are_made_once_and_are_those_of_the_corpus(tmp_path: Path) -> None:
    notes = (Note(50.0, 0.5, 0.4, 1.0), C4)
    for name, audio in (("with", True), ("without", False)):
        plan = plan_of(40, "uniform", "toy", seed=3, notes=notes, embedders=("mel128",), audio=audio, shard_size=16)
        render_corpus(plan, str(tmp_path / name), workers=1)
    places = [1, 3, 17, 30, 39]
    kept = read_targets([str(tmp_path / "with")], places, C4, tmp_path / "kept", samples=True, workers=1)
    seen: list[int] = []

    def stop(done: int) -> None:
        seen.append(done)
        if done == 4:
            raise KeyboardInterrupt

    again = tmp_path / "again"
    with pytest.raises(KeyboardInterrupt):
        read_targets([str(tmp_path / "without")], places, C4, again, samples=True, workers=1, tell=stop)
    made = {path: path.stat().st_mtime_ns for path in again.rglob("*.npz")}
    assert seen == [2, 4]
    assert len(made) == 2
    found = read_targets([str(tmp_path / "without")], places, C4, again, samples=True, workers=1)
    assert all(path.stat().st_mtime_ns == written for path, written in made.items())
    assert found.places.tolist() == kept.places.tolist() == places
    assert found.pictures.shape == (5, FRAMES, BANDS)
    # FLAC of 24 bits is not the sound to the last bit.
    assert found.samples is not None
    assert kept.samples is not None
    np.testing.assert_allclose(found.samples, kept.samples, atol=1e-5)
    loud = found.pictures > found.pictures.max(axis=(1, 2), keepdims=True) - 40.0
    np.testing.assert_allclose(found.pictures[loud], kept.pictures[loud], atol=0.2)
    next(iter(made)).write_bytes(b"broken")
    with pytest.raises(CorpusError, match=r"npz is damaged .*; delete it and run the same command again"):
        read_targets([str(tmp_path / "without")], places, C4, again, samples=True, workers=1)
    with pytest.raises(CorpusError, match="is not played at pitch 61"):
        read_targets([str(tmp_path / "without")], places, Note(61.0), tmp_path / "other", workers=1)
    with pytest.raises(InputError, match="places that rise"):
        read_targets([str(tmp_path / "without")], [3, 1], C4, again, workers=1)
