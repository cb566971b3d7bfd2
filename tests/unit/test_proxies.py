"""Neural proxies in their parts: tokens by hand, encoders, ranks by hand, rows, inputs, checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menura.datasets.plan import plan_of
from menura.datasets.rendering import render_corpus
from menura.errors import CheckpointError, CorpusError, InputError, SpaceError
from menura.evaluation.proxy_scores import proxy_scores, validation_scores
from menura.features.embedders import embedder_of
from menura.note import Note
from menura.preset import Route
from menura.space import Parameter, ParameterSpace
from menura.synths.registry import synth_of

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.checkpoint import read_proxy, read_space, space_record, write_proxy  # noqa: E402
from menura.models.proxies import ENCODERS, Proxy, proxy_size  # noqa: E402
from menura.models.tokens import OneHot, PresetTokenizer  # noqa: E402
from menura.training.proxy_inputs import inputs_of  # noqa: E402
from menura.training.proxy_run import ProxySettings, answers, train_proxy  # noqa: E402
from menura.training.rows import Rows, read_rows  # noqa: E402
from menura.training.settings import Machine  # noqa: E402

NOTES = (Note(50.0, 0.5, 0.4, 1.0), Note(60.0, 0.8, 0.4, 1.0))
EMBEDDER = {"name": "mel128", "fingerprint": "f" * 64}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def choice(name: str, count: int, **more: Any) -> Parameter:
    names = tuple(f"{name} {number}" for number in range(count))
    return Parameter(name, "group", "choice", 0.0, count - 1.0, 0.0, "indexed", names, **more)


TINY = ParameterSpace(
    "tiny", [choice("wave", 3), Parameter("level", "group"), Parameter("on", "group", "toggle"), choice("mode", 2)]
)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    found = []
    for seed in (0, 1):
        out = str(tmp_path_factory.mktemp("corpora") / str(seed))
        plan = plan_of(24, "uniform", "toy", seed=seed, notes=NOTES, embedders=("mel128", "semitones/flat"))
        render_corpus(plan, out, workers=1)
        found.append(out)
    return found


@pytest.fixture(scope="module")
def rows(corpora: list[str]) -> Rows:
    return read_rows(corpora, "mel128")


# ---------------------------------------------------------------------- tokens


def test_one_hot_by_hand() -> None:
    onehot = OneHot(TINY)
    assert onehot.width == 2 + 3 + 2
    seen = onehot(torch.tensor([[0.5, 0.25, 1.0, 0.0], [1.0, 0.75, 0.0, 1.0]]))
    expected = [[0.25, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.75, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]]
    np.testing.assert_array_equal(seen.numpy(), np.array(expected, dtype=np.float32))


def test_tokens_are_scaled_vectors_and_looked_up_rows() -> None:
    tokens = PresetTokenizer(TINY, 4)
    assert tokens.count == 4
    with torch.no_grad():
        tokens.vectors.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]))
        tokens.table.copy_(torch.arange(20.0).reshape(5, 4) * 10.0)
        found = tokens(torch.tensor([[1.0, 0.5, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]))
    first = [[80, 90, 100, 110], [0.5, 1.0, 1.5, 2.0], [0, 0, 0, 0], [160, 170, 180, 190]]
    second = [[0, 10, 20, 30], [0, 0, 0, 0], [5, 6, 7, 8], [120, 130, 140, 150]]
    np.testing.assert_array_equal(found.numpy(), np.array([first, second], dtype=np.float32))


def test_slots_share_what_is_learnt_and_are_a_token_each() -> None:
    space = synth_of("toy").space
    tokens = PresetTokenizer(space, 8)
    plain = sum(not each.slot for each in space.parameters)
    assert tokens.count == plain + 2
    one, other = space.default.copy(), space.default.copy()
    for slot, vector in ((1, one), (2, other)):
        vector[space.index(f"modulation_{slot}_source")] = 1.0 / 3.0
        vector[space.index(f"modulation_{slot}_destination")] = 1.0
        vector[space.index(f"modulation_{slot}_amount")] = 0.9
    with torch.no_grad():
        found = tokens(torch.from_numpy(np.stack([one, other])))
    np.testing.assert_allclose(found[0, plain].numpy(), found[1, plain + 1].numpy(), atol=1e-6)
    np.testing.assert_allclose(found[0, plain + 1].numpy(), found[1, plain].numpy(), atol=1e-6)
    assert not np.allclose(found[0, plain].numpy(), found[0, plain + 1].numpy())


def test_an_empty_space_has_no_tokens() -> None:
    with pytest.raises(SpaceError, match="empty space"):
        PresetTokenizer(ParameterSpace("tiny", []), 4)


# ---------------------------------------------------------------------- encoders


@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_encoder_answers_and_every_weight_learns(encoder: str, rng: np.random.Generator) -> None:
    space = synth_of("toy").space
    with torch.random.fork_rng():
        torch.manual_seed(0)
        proxy = Proxy(space, 7, proxy_size(encoder, 0.05))
        proxy.aim(np.full(7, 3.0, dtype=np.float32), 2.0)
    vectors = torch.from_numpy(space.sample(rng, 64))
    found = proxy(vectors)
    assert found.shape == (64, 7)
    (found - torch.randn(64, 7, generator=torch.Generator().manual_seed(1))).abs().mean().backward()
    without = [name for name, each in proxy.named_parameters() if each.grad is None or not each.grad.abs().sum() > 0.0]
    assert not without
    proxy.eval()
    # A row's answer is its own.
    np.testing.assert_allclose(proxy(vectors[:5]).detach().numpy(), proxy(vectors).detach().numpy()[:5], atol=1e-4)
    assert abs(float(proxy(vectors).detach().mean()) - 3.0) < 2.0


def test_full_sizes_are_the_papers(rng: np.random.Generator) -> None:
    # 92 numbers and 8 choices, as the paper's table 1 has for Dexed: 32 algorithms, waves, curves.
    numbers = [Parameter(f"number {place}", "group") for place in range(92)]
    steps = (32, 6, 2, 2, 4, 4, 4, 4)
    space = ParameterSpace("dexed", [*numbers, *(choice(f"choice {place}", each) for place, each in enumerate(steps))])
    expected = {"MLP-OH": 4.9, "HN-OH": 6.2, "HN-PT": 6.0, "HN-PTGRU": 7.1, "TFM": 4.8}
    for encoder, millions in expected.items():
        count = sum(each.numel() for each in Proxy(space, 192, proxy_size(encoder)).parameters())
        assert count / 1e6 == pytest.approx(millions, abs=0.06), encoder


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="there are MLP-OH"):
        proxy_size("RNN")
    with pytest.raises(InputError, match="give a scale"):
        proxy_size("TFM", 0.0)
    small = proxy_size("TFM", 0.25, 3)
    assert (small.hidden, small.token, small.layers, small.heads) == (64, 64, 3, 4)


# ---------------------------------------------------------------------- scores


def test_ranks_by_hand() -> None:
    answers_ = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [10.0, 10.0]], dtype=np.float32)
    # Own distances 0.2, 2, 0.4, 8; the second's own answer is behind the third's and tied with the first's.
    heard = np.array([[0.1, 0.1], [1.0, 3.0], [2.0, 2.4], [6.0, 6.0]], dtype=np.float32)
    # Row by row |answer - heard|: [.2 1.8 ..] -> 1; [4 2 2 16] -> tie with the third: 2; [4.4 2.4 .4] -> 1;
    # [12 10 8 8] -> tie: 2.
    told = validation_scores(answers_, heard, queries=4, among=4)
    assert told["mrr"] == pytest.approx((1.0 + 0.5 + 1.0 + 0.5) / 4.0)
    assert told["l1"] == pytest.approx((0.1 + 0.1 + 0.0 + 2.0 + 0.0 + 0.4 + 4.0 + 4.0) / 8.0)


def test_draws_agree_with_ranks_that_are_counted_one_by_one(rng: np.random.Generator) -> None:
    heard = rng.standard_normal((60, 5)).astype(np.float32)
    said = (heard + 0.7 * rng.standard_normal((60, 5))).astype(np.float32)
    found = proxy_scores(said, heard, presets=32, draws=7, seed=3)
    assert (found.presets, found.pool, found.draws) == (32, 60, 7)
    again = np.random.default_rng(3)
    mrr, l1 = [], []
    for _ in range(7):
        chosen = again.permutation(60)[:32]
        far = np.abs(heard[chosen][:, None] - said[chosen][None]).astype(np.float64).sum(axis=2)
        mrr.append((1.0 / (far <= np.diag(far)[:, None] + 1e-12).sum(axis=1)).mean())
        l1.append(np.abs(heard[chosen] - said[chosen]).mean())
    assert found.mrr == pytest.approx(np.mean(mrr))
    assert found.mrr_deviation == pytest.approx(np.std(mrr))
    assert found.l1 == pytest.approx(np.mean(l1), rel=1e-5)
    assert proxy_scores(heard, heard).mrr == 1.0
    # Fewer than a draw wants: half of them, a power of two.
    assert proxy_scores(said, heard).presets == 16
    # More than twice what a draw wants: twice as many are drawn from.
    assert proxy_scores(said, heard, presets=16).pool == 32
    # The same answer to all finds nothing.
    assert proxy_scores(np.zeros_like(heard), heard).mrr == pytest.approx(1.0 / 16.0)
    with pytest.raises(InputError, match="a row for each"):
        proxy_scores(said[:3], heard[:3])


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
def test_scale_and_order_do_not_change_ranks(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    heard = rng.standard_normal((24, 4)).astype(np.float32)
    said = (heard + rng.standard_normal((24, 4))).astype(np.float32)
    once = validation_scores(said, heard, queries=24, among=24)
    turned = rng.permutation(24)
    factor = float(2.0 ** round(np.log2(factor)))
    other = validation_scores(
        (factor * said[turned]).astype(np.float32), (factor * heard[turned]).astype(np.float32), queries=24, among=24
    )
    assert other["mrr"] == pytest.approx(once["mrr"])
    assert other["l1"] == pytest.approx(factor * once["l1"], rel=1e-5)
    assert 1.0 / 24.0 <= once["mrr"] <= 1.0


# ---------------------------------------------------------------------- rows and inputs


def test_rows_are_the_shards_and_are_kept(corpora: list[str], rows: Rows, tmp_path: Path) -> None:
    assert rows.vectors.shape == (48, synth_of("toy").space.dim)
    assert rows.embeddings.shape == (48, 2, 128)
    assert rows.notes[5, 0].tolist() == pytest.approx([50.0, 0.5, 0.4, 1.0])
    told: list[int] = []
    kept = read_rows(corpora, "mel128", keep=tmp_path, tell=told.append)
    again = read_rows(corpora, "mel128", keep=tmp_path, tell=told.append)
    assert told[-1] == 48
    assert len(told) == len(set(told))  # read once
    assert isinstance(again.vectors, np.memmap)
    for other in (kept, again):
        np.testing.assert_array_equal(other.vectors, rows.vectors)
        np.testing.assert_array_equal(other.embeddings, rows.embeddings)
        assert other.fingerprint == rows.fingerprint
    pictures = read_rows(corpora, "timbre")
    assert pictures.embeddings.shape == (48, 2, embedder_of("timbre").dim)
    np.testing.assert_allclose(np.linalg.norm(pictures.embeddings.astype(float), axis=2), 1.0, atol=2e-3)
    assert pictures.fingerprint != rows.fingerprint
    with pytest.raises(CorpusError, match="keeps no mfcc40, but mel128"):
        read_rows(corpora, "mfcc40")
    (tmp_path / "vectors.npy").write_bytes(b"broken")
    with pytest.raises(CorpusError, match="damaged rows"):
        read_rows(corpora, "mel128", keep=tmp_path)


def test_parts_of_rows_do_not_share_lineages(rows: Rows) -> None:
    shares = {"train": 0.5, "test": 0.5}
    parts = [rows.of_part(part, shares) for part in shares]
    assert sum(map(len, parts)) == len(rows)
    assert not set(parts[0].lineages) & set(parts[1].lineages)
    assert rows.first(10).vectors.base is not None
    assert len({rows.first(10).fingerprint, rows.first(11).fingerprint, rows.fingerprint}) == 3
    np.testing.assert_array_equal(rows.played(1, 0).embeddings[:, 0], rows.embeddings[:, 1])
    with pytest.raises(CorpusError, match="49 patches of 48"):
        rows.first(49)


def test_a_proxy_sees_what_moves_and_routes_in_the_first_slots(rows: Rows) -> None:
    toy = synth_of("toy")
    inputs = inputs_of(toy.space, rows)
    names = inputs.space.names
    assert "phase_random" not in names  # frozen, so it never moves
    assert {"wave", "cutoff", "modulation_1_source", "note_pitch", "note_velocity"} <= set(names)
    assert "note_total" not in names
    preset = replace(
        toy.space.decode(toy.space.encode(toy.init()), toy.init()),
        routes=(Route("velocity", "cutoff", 0.5, slot=2),),
    )
    moved = replace(preset, routes=(Route("velocity", "cutoff", 0.5, slot=1),))
    vectors = toy.space.encode_all([preset, moved])
    two = replace(rows, vectors=vectors, further=rows.further[:2], notes=rows.notes[:2])
    seen = inputs.of(two, np.array([0, 1]), np.array([1, 0]))
    assert seen.shape == (2, inputs.space.dim)
    same = [place for place, name in enumerate(names) if not name.startswith("note_")]
    np.testing.assert_array_equal(seen[0, same], seen[1, same])
    assert seen[0, names.index("modulation_1_source")] == 1.0
    assert seen[0, names.index("note_pitch")] == pytest.approx(60.0 / 127.0)
    assert inputs.space.fingerprint != toy.space.fingerprint
    with pytest.raises(CorpusError, match="rows of space"):
        inputs_of(synth_of("toy").space.lock("wave"), rows)


# ---------------------------------------------------------------------- runs and checkpoints


def test_a_proxy_learns_and_is_known_by_its_card(rows: Rows, tmp_path: Path) -> None:
    toy = synth_of("toy")
    train, held = rows.first(40), replace(rows.played(1), facts=rows.facts)
    inputs = inputs_of(toy.space, train)
    settings_ = ProxySettings("HN-OH", 0.1, 2, steps=60, batch=16, checks=3, rate=3e-3)
    told: list[float] = []
    folder = tmp_path / "run"
    fitted = train_proxy(
        train,
        held,
        inputs,
        settings_,
        folder,
        validation_scores,
        lambda now: told.append(now.judged["l1"]),
        machine=Machine("cpu"),
    )
    assert told[-1] < 0.9 * told[0]
    assert set(fitted.best) == {"mrr", "l1"}
    path = tmp_path / "proxy.safetensors"
    write_proxy(path, fitted.network, inputs.space, EMBEDDER, {"licence": "MIT"})
    proxy, space, card = read_proxy(path, space=inputs.space, embedder=EMBEDDER["fingerprint"])
    assert space.names == inputs.space.names
    assert card["licence"] == "MIT"
    for one, other in zip(answers(proxy, inputs, held), answers(fitted.network, inputs, held), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(CheckpointError, match=f"is for space {inputs.space.fingerprint} .toy., not"):
        read_proxy(path, space=TINY)
    with pytest.raises(CheckpointError, match="answers in the vectors of mel128 ffffffffffff, not of 000000000000"):
        read_proxy(path, embedder="0" * 64)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_proxy(tmp_path / "none.safetensors")
    damaged = path.read_bytes()[:-1] + b"\xff"
    path.write_bytes(damaged)
    with pytest.raises(CheckpointError, match="put back the pair"):
        read_proxy(path)
    with pytest.raises(InputError, match="render more"):
        train_proxy(train.first(4), held, inputs, settings_, tmp_path / "few", validation_scores)


def test_a_space_comes_back_from_its_record() -> None:
    space = synth_of("toy").space
    record = json.loads(json.dumps(space_record(space)))
    assert read_space(record).fingerprint == space.fingerprint
    assert read_space(record).parameters == space.parameters
    record["parameters"][0]["high"] = 7.0
    with pytest.raises(CheckpointError, match="holds no space"):
        read_space(record)
