"""Estimators from corpora to answers, as small as they can be, on the toy synth."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.audio import write_audio
from menura.cli.app import run
from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.errors import InputError, SpaceError, UnknownNameError
from menura.evaluation.arm import NotApplicableError
from menura.evaluation.arms import ARMS, FLOW_8, arm_of
from menura.evaluation.stage_arm import StageArm
from menura.events import Improved
from menura.features.semitones import BANDS, FRAMES
from menura.matching.audition import Audition
from menura.matching.budget import Budget
from menura.matching.cmaes import CmaEsSearch
from menura.matching.matcher import Matcher
from menura.matching.predict import Predict
from menura.matching.starts import InitialPatch, Starts
from menura.matching.target import Target
from menura.matching.tracks import match, stages_of
from menura.matching.vary import Vary
from menura.models.estimator import CARD, ENCODER, Estimator, open_estimator
from menura.models.paths import walk
from menura.models.shipped import folder_of
from menura.models.sound_view import SoundView
from menura.note import Note
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of
from menura.training.pictures import EMBEDDER
from recipes import recipe_named

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.adapters import adapt  # noqa: E402
from menura.models.assignment import nearest_arrangement  # noqa: E402
from menura.models.estimator_network import Architecture, EstimatorNetwork  # noqa: E402
from menura.models.layout import Layout, fitted_layout  # noqa: E402
from menura.models.patch_network import PatchNetwork  # noqa: E402
from menura.models.picture_encoder import PictureEncoder, folded_convolutions  # noqa: E402
from menura.models.timbre_network import TimbreNetwork, export_timbre  # noqa: E402

NOTES = tuple(Note(pitch, 0.8, 0.6, 1.5) for pitch in (48.0, 67.0))
KINDS = ("flow", "diffusion", "regression", "ast")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recipe() -> Any:
    return recipe_named("estimators")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus")
    for kind, count, seed in (("train", 40, 1), ("unseen", 8, 2)):
        plan = plan_of(count, "uniform", "toy", seed=seed, notes=NOTES, embedders=(EMBEDDER, "contour"))
        render_corpus(plan, str(out / kind / "0000"), workers=1)
    return out


@pytest.fixture(scope="module")
def models(recipe: Any, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Trained and exported, a folder each kind."""
    place = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        if kind == "ast":
            pytest.importorskip("transformers", reason="transformers is not installed: pip install -e '.[embedders]'")
        recipe.main(["export", *_options(corpus, place / kind, kind), "--cache", str(place)])
    return {kind: place / kind for kind in KINDS}


def _options(corpus: Path, out: Path, kind: str) -> list[str]:
    given = ["--corpus", str(corpus), "--out", str(out), "--kind", kind, "--synth", "toy", "--size", "tiny"]
    return [*given, "--walk", "6", "--steps", "8"]


@pytest.mark.parametrize("kind", KINDS)
def test_samples_lie_in_the_space_and_play(models: dict[str, Path], kind: str) -> None:
    toy = synth_of("toy")
    estimator = open_estimator(models[kind], patch_space(toy))
    assert estimator.card["parity"] < 1e-4
    sound = toy.render(toy.init(), NOTES[0])
    view = SoundView.of(sound, NOTES[0])
    vectors = estimator.samples(view, 3, np.random.default_rng(0))
    assert vectors.shape == (3, toy.space.dim)
    assert 0.0 <= vectors.min() <= vectors.max() <= 1.0
    assert np.array_equal(vectors, toy.space.snap(vectors))
    assert np.array_equal(vectors, estimator.samples(view, 3, np.random.default_rng(0)))
    unknown = estimator.samples(SoundView.of(sound, None), 1, np.random.default_rng(0))
    for vector in (*vectors, *unknown):
        played = toy.render(toy.freeze(toy.space.decode(vector, toy.init())), NOTES[0])
        assert np.isfinite(played.samples).all()
    if kind in ("flow", "diffusion"):
        assert len({vector.tobytes() for vector in vectors}) == 3


def test_the_weights_are_those_of_the_best_step(models: dict[str, Path]) -> None:
    for folder in models.values():
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        held = {line["step"]: line["held"] for line in lines if line["kind"] == "judged"}
        assert len(held) > 1
        best = json.loads((folder / CARD).read_text())["training"]["best"]
        assert best["step"] == min(held, key=lambda step: held[step])
        assert best["value"] == pytest.approx(held[best["step"]])


def test_the_judgement_enters_the_card(recipe: Any, corpus: Path, models: dict[str, Path]) -> None:
    recipe.main(["judge", *_options(corpus, models["flow"], "flow"), "--workers", "1"])
    judgement = json.loads((models["flow"] / CARD).read_text())["judgement"]
    assert judgement["sounds"] > 0
    assert judgement["best_mss"] <= judgement["first_mss"]
    assert judgement["best_unrouted_mss"] <= judgement["first_unrouted_mss"]


def test_a_match_begins_with_what_a_model_says(models: dict[str, Path]) -> None:
    toy = synth_of("toy")
    sound = toy.render(toy.init().with_values(cutoff=60.0, filter_on=1.0), NOTES[0])
    matcher = Matcher(toy, [Predict(str(models["flow"]), 4), Audition(), CmaEsSearch()], workers=1)
    best = matcher.match(sound, note=NOTES[0].pitch, top=1, budget=Budget(24, 60.0))[0]
    assert best.lineage[0] == "model:flow"
    assert np.isfinite(best.distance)


def test_a_model_of_another_synth_is_refused(models: dict[str, Path]) -> None:
    with pytest.raises(SpaceError, match="menura models list"):
        open_estimator(models["flow"], patch_space(synth_of("vital")))
    vital = synth_of("vital")
    with pytest.raises(SpaceError, match="not in"):
        open_estimator(models["flow"], patch_space(synth_of("toy"))).fitting(patch_space(vital).space)


def test_a_damaged_model_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    for path in models["flow"].glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "decoder.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="its card tells of"):
        open_estimator(tmp_path, patch_space(synth_of("toy")))
    (tmp_path / CARD).write_text("{}")
    with pytest.raises(InputError, match="train the model anew"):
        open_estimator(tmp_path, patch_space(synth_of("toy")))
    with pytest.raises(UnknownNameError, match="no model is called"):
        folder_of("nothing")


def test_a_run_that_was_stopped_is_the_run_that_was_not(
    recipe: Any, corpus: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    from menura.training.loop import fit

    found = []
    for stops in ((None,), (3, None)):
        folder = tmp_path / str(len(stops))
        for stop in stops:
            arguments = _parsed(recipe, corpus, folder, models["flow"].parent)
            size = recipe.SIZES["tiny"]
            patches = recipe.patches_of(arguments, "train")
            task = recipe.task_of(size, arguments, patches, fitted_layout(recipe.space_of(arguments), patches.vectors))
            fitted = fit(task, recipe.loop_settings(size, arguments), folder, until=stop)
        found.append(np.concatenate([each.detach().numpy().ravel() for each in fitted.network.state_dict().values()]))
    assert np.array_equal(*found)


def test_only_the_picture_encoder_starts_from_the_timbre_embedding(
    recipe: Any, corpus: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    torch.save({"network": {}}, tmp_path / "state.pt")
    arguments = _parsed(recipe, corpus, tmp_path, models["flow"].parent)
    arguments.kind, arguments.start = "ast", tmp_path / "state.pt"
    patches = recipe.patches_of(arguments, "train")
    layout = fitted_layout(recipe.space_of(arguments), patches.vectors)
    with pytest.raises(InputError, match="leave start out"):
        recipe.task_of(recipe.SIZES["tiny"], arguments, patches, layout)


def _parsed(recipe: Any, corpus: Path, out: Path, cache: Path) -> Any:
    import argparse

    return argparse.Namespace(
        corpus=corpus, out=out, cache=cache, kind="flow", synth="toy", parts=None, steps=6, seed=0, bfloat16=False,
        encoder="picture", adapters=0, start=None, pretrained=None, spectral=None, perceptual=None, train_corpora=[],
        unseen_corpora=[],
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["flow", "diffusion"])
def test_variations_draw_some_parts_anew_and_leave_the_others(kind: str, models: dict[str, Path]) -> None:
    toy = synth_of("toy")
    estimator = open_estimator(models[kind], patch_space(toy))
    view = SoundView.of(toy.render(toy.init(), NOTES[0]), NOTES[0])
    rng = np.random.default_rng(0)
    vectors = estimator.space.snap(rng.random((40, estimator.space.dim)))
    varied = estimator.variations(view, vectors, rng, start=0.3, share=0.0)
    coordinates = [set(own.tolist()) for _, own in estimator.layout.tokens]
    assert set().union(*coordinates) <= set(range(estimator.space.dim))
    for old, new in zip(vectors, varied, strict=True):
        changed = set(np.flatnonzero(old != new).tolist())
        assert any(changed <= own for own in coordinates)  # of one part alone, since the share is none
    assert (vectors != varied).any()
    likely = estimator.variations(view, vectors, rng, start=0.999, share=1.0)
    anew = estimator.variations(view, vectors, rng, start=0.0, share=1.0)
    told = sorted(set().union(*coordinates))
    assert np.abs(likely - vectors)[:, told].mean() < np.abs(anew - vectors)[:, told].mean()


def test_only_what_clears_up_noise_can_vary(models: dict[str, Path]) -> None:
    toy = synth_of("toy")
    estimator = open_estimator(models["regression"], patch_space(toy))
    view = SoundView.of(toy.render(toy.init(), NOTES[0]), NOTES[0])
    with pytest.raises(InputError, match="cannot vary patches; take one of flow, diffusion"):
        estimator.variations(view, estimator.space.default[None], np.random.default_rng(0), start=0.5, share=0.5)


def test_a_match_goes_on_with_variations_of_what_is_near(models: dict[str, Path]) -> None:
    toy = synth_of("toy")
    sound = toy.render(toy.init().with_values(cutoff=60.0, filter_on=1.0), NOTES[0])
    model = Predict(str(models["flow"]), 4)
    matcher = Matcher(toy, [model, Audition(), Vary(model, 1.0)], workers=1)
    found = matcher.match(sound, note=NOTES[0].pitch, top=8, budget=Budget(40, 60.0))
    assert any(match.lineage[-1] == "vary" for match in found)
    near = Matcher(toy, [InitialPatch(), Audition(), Vary(model, 1.0)], workers=1).match(
        sound, note=NOTES[0].pitch, top=8, budget=Budget(40, 60.0), near=toy.init()
    )
    assert all("vary" not in match.lineage for match in near)
    proposed = Matcher(toy, [model, Audition()], workers=1).match(
        sound, note=NOTES[0].pitch, top=1, budget=Budget(40, 60.0)
    )
    assert found[0].distance <= proposed[0].distance


def test_every_arm_can_be_sent_to_another_process() -> None:
    for name in ARMS.names():
        assert pickle.loads(pickle.dumps(ARMS.get(name))).name == name


def test_a_match_takes_a_model_by_its_folder(models: dict[str, Path], tmp_path: Path) -> None:
    toy = synth_of("toy")
    sound = toy.render(toy.init().with_values(level=0.4), NOTES[0])
    found = match(sound, "toy", model=str(models["flow"]), renders=24, note=NOTES[0], workers=1)
    assert found
    near = match(sound, "toy", model=str(models["flow"]), near=toy.init(), renders=24, note=NOTES[0], workers=1)
    assert not any(word.startswith("model") for one in near for word in one.lineage)
    for kind in models:
        stages = stages_of("knobs", toy, str(models[kind]))
        words = [
            candidate.lineage[0]
            for event in Matcher(toy, stages, workers=1).stream(Target.of(sound, NOTES[0]), budget=Budget(renders=24))
            if isinstance(event, Improved) and (candidate := event.candidate)
        ]
        assert set(words) == {f"model:{kind}"}  # no blind draws beside the samples
    with pytest.raises(InputError, match="add --track knobs"):
        stages_of("any", synth_of("vital"), "vital-flow-small")
    _, starts, *_ = stages_of("knobs", synth_of("vital"), "vital-flow-small")
    assert isinstance(starts, Starts)
    assert not starts.spare  # a forecast picks them
    with pytest.raises(SpaceError, match="menura models list"):
        match(sound, "toy", model="vital-flow-small")
    with pytest.raises(UnknownNameError, match="no model is called"):
        match(sound, "toy", model=str(tmp_path))
    with pytest.raises(InputError, match="leave the model out"):
        match(None, "toy", text="bright bass", model=str(models["flow"]))


def test_an_arm_takes_a_model_by_its_folder(models: dict[str, Path], tmp_path: Path) -> None:
    toy, place = synth_of("toy"), models["flow"]
    arm = arm_of(f"flow-8={place}")
    assert arm.name == f"flow-8-{place.name}"
    assert isinstance(arm, StageArm)
    proposer, _ = pickle.loads(pickle.dumps(arm)).stages(toy)
    assert isinstance(proposer.model, Estimator)
    with pytest.raises(NotApplicableError, match="no flow model of toy"):
        FLOW_8.stages(toy)
    with pytest.raises(InputError, match="write flow-8=FOLDER"):
        arm_of("flow-8=")
    with pytest.raises(InputError, match="'knobs' asks no model"):
        arm_of(f"knobs={place}")
    with pytest.raises(UnknownNameError, match="no model is called"):
        arm_of(f"flow={tmp_path}")
    with pytest.raises(SpaceError):
        arm.stages(synth_of("dx7"))


def test_an_ear_starts_from_the_convolutions_of_timbre() -> None:
    timbre, ear = TimbreNetwork(4, 8), PictureEncoder(16, 4)
    ear.start_from_timbre(timbre.state_dict())
    first = ear.state_dict()["layers.0.0.weight"]
    assert torch.equal(first[:, :1], timbre.state_dict()["layers.0.0.weight"])
    assert not first[:, 1:].any()
    with pytest.raises(InputError, match="timbre network of 8 channels"):
        PictureEncoder(16, 8).start_from_timbre(timbre.state_dict())


def test_an_ear_starts_from_the_convolutions_of_an_exported_timbre(tmp_path: Path) -> None:
    timbre, ear = TimbreNetwork(4, 8), PictureEncoder(16, 4)
    pictures = 40.0 * torch.rand(6, FRAMES, BANDS) - 80.0
    for _ in range(3):
        timbre.train()(pictures)
    export_timbre(timbre, tmp_path / "timbre.onnx")
    ear.start_from_folded(folded_convolutions(tmp_path / "timbre.onnx"), pictures)
    scaled = ((pictures + 40.0) / 20.0).transpose(1, 2).unsqueeze(1)
    with torch.no_grad():
        wanted = timbre.eval().layers(scaled)
        heard = ear.eval().layers(torch.cat([scaled, torch.randn_like(scaled)], dim=1))
        learning = ear.train().layers(torch.cat([scaled, scaled], dim=1))
    assert torch.allclose(heard, wanted, atol=1e-3)
    assert torch.allclose(learning, wanted, atol=1e-2)
    with pytest.raises(InputError, match="other channels"):
        PictureEncoder(16, 8).start_from_folded(folded_convolutions(tmp_path / "timbre.onnx"), pictures)


def test_a_model_of_your_own_from_nothing_to_a_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine"
    command = ["models", "train", "toy", "--out", str(out), "--patches", "70", "--workers", "1", "--steps"]
    assert run([*command, "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parity"] < 1e-4
    card, before = json.loads((out / CARD).read_text()), (out / ENCODER).read_bytes()
    assert card["recipe"] == "menura models train toy --patches 70 --steps 8 --seed 0"
    assert (card["data"]["prior"], card["data"]["patches"]) == ("uniform", 70)
    # What is there is not made again, and not by other settings.
    assert run([*command, "8"]) == 0
    assert (out / ENCODER).read_bytes() == before
    assert run([*command, "9"]) == 2
    assert "other settings" in capsys.readouterr().err
    assert run(["models", "train", "toy", "--out", str(out), "--patches", "10"]) == 2
    assert "give 64 patches" in capsys.readouterr().err
    toy = synth_of("toy")
    sound = tmp_path / "sound.wav"
    write_audio(sound, toy.render(toy.init(), NOTES[0]))
    given = ["match", str(sound), "--synth", "toy", "--model", str(out), "--renders", "12", "--note", "C4"]
    assert run([*given, "--track", "knobs", "--out", str(tmp_path / "found")]) == 0
    assert list((tmp_path / "found").iterdir())


# ---------------------------------------------------------------------- what is interchangeable


@pytest.fixture(scope="module")
def vital_layout() -> tuple[Layout, np.ndarray]:
    from menura.datasets.sampling import draw_preset, sampler_of

    vital = synth_of("vital")
    sampler = sampler_of("human", vital)
    patches = patch_space(vital)
    vectors = patches.space.encode_all(vital.freeze(draw_preset(sampler, vital, 5, index)) for index in range(24))
    layout = fitted_layout(patches, vectors)
    return layout, layout.encode(vectors)


def test_exchanging_what_goes_in_exchanges_what_comes_out(vital_layout: tuple[Layout, np.ndarray]) -> None:
    layout, features = vital_layout
    torch.manual_seed(0)
    network = PatchNetwork(layout, 16, 2, 2)
    for block in network.blocks:  # as if it had been trained: a new block lets nothing through
        torch.nn.init.normal_(block.steer.weight, std=0.3)
    sound = torch.randn(4, 5, 16)
    noisy = features[:4] + 0.5 * np.random.default_rng(0).standard_normal((4, layout.width), dtype=np.float32)

    def answered(given: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(given), torch.full((4,), 0.5), sound, torch.ones(4)).numpy()

    order = [2, 0, 1]
    one, other = answered(noisy), answered(layout.exchanged(noisy, "osc", order))
    assert np.abs(layout.exchanged(one, "osc", order) - other).max() < 1e-4
    assert np.abs(one - other).max() > 1e-2


def test_a_regression_is_not_blamed_for_the_order_of_oscillators(vital_layout: tuple[Layout, np.ndarray]) -> None:
    layout, features = vital_layout
    torch.manual_seed(0)
    network = EstimatorNetwork(layout, Architecture("regression", 16, 1, 2, 4))
    raw = torch.randn(4, layout.width)
    guess = network.heads.means(raw).detach().numpy()
    swapped = layout.exchanged(features[:4], "osc", [1, 0, 2])
    costs = [
        network.heads.loss(raw, torch.from_numpy(nearest_arrangement(layout, truth, guess))).detach().numpy()
        for truth in (features[:4], swapped)
    ]
    assert np.allclose(*costs, atol=1e-4)
    plain = [network.heads.loss(raw, torch.from_numpy(truth)).detach().numpy() for truth in (features[:4], swapped)]
    assert not np.allclose(*plain, atol=1e-4)


# ---------------------------------------------------------------------- parts


@pytest.mark.parametrize("path", ["flow", "diffusion"])
def test_a_walk_with_a_network_that_knows_the_patch_ends_there(path: Any) -> None:
    patch = np.array([[1.0, -1.0, 0.25]], dtype=np.float32)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((1, 3), dtype=np.float32)
    found = walk(path, lambda x, _t, _k: np.repeat(patch, len(x), axis=0), noise, rng, steps=5, guidance=2.0)
    assert np.allclose(found, patch)


@pytest.mark.parametrize("path", ["flow", "diffusion"])
def test_a_walk_draws_from_the_distribution_that_the_means_are_of(path: Any) -> None:
    from menura.models.paths import at

    def mean(x: np.ndarray, time: np.ndarray, _keep: np.ndarray) -> np.ndarray:
        signal, level = at(path, time[:, None])
        # A patch is -1 or +1, the latter three times as often.
        odds = np.log(3.0) + 2.0 * signal * x / np.maximum(level, 1e-3) ** 2
        return np.tanh(0.5 * odds).astype(np.float32)

    rng = np.random.default_rng(0)
    found = walk(path, mean, rng.standard_normal((4_000, 1), dtype=np.float32), rng, steps=48)
    assert (np.abs(found) > 0.9).mean() > 0.97
    assert (found > 0).mean() == pytest.approx(0.75, abs=0.04)


def test_adapters_learn_beside_weights_that_stay() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.ReLU(), torch.nn.Linear(6, 6))
    before, given = network[0].weight.clone(), torch.randn(3, 6)
    said = network(given)
    assert adapt(network, r"^0$", 2) == ["0"]
    assert torch.equal(network(given), said)
    trained = [each for each in network.parameters() if each.requires_grad]
    torch.optim.SGD(trained, 0.1)
    network(given).sum().backward()
    assert sum(each.numel() for each in trained) == 2 * 6 * 2
    assert torch.equal(network[0].layer.weight, before)
    with pytest.raises(InputError, match="no linear layer"):
        adapt(network, "nothing", 2)


def test_an_arm_without_weights_says_so() -> None:
    from menura.evaluation.arm import NotApplicableError

    with pytest.raises(NotApplicableError, match="menura models train"):
        ARMS.get("flow").stages(synth_of("toy"))  # pyright: ignore[reportAttributeAccessIssue]


def test_no_torch_is_needed_to_ask_a_model(models: dict[str, Path]) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
import numpy as np
from pathlib import Path
from menura.matching.predict import Predict
from menura.matching.starts import InitialPatch
from menura.matching.vary import Vary
from menura.models.estimator import open_estimator
from menura.models.sound_view import SoundView
from menura.note import Note
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of
toy = synth_of("toy")
estimator = open_estimator(Path({str(models["flow"])!r}), patch_space(toy))
view = SoundView.of(toy.render(toy.init(), Note(60)), Note(60))
print(estimator.samples(view, 2, np.random.default_rng(0)).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"(2, {synth_of('toy').space.dim})", done.stderr
