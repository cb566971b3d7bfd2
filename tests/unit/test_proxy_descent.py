"""What a proxy says of an estimator's answer, in training and while matching."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from menura.errors import InputError
from menura.events import Finished, Proposed
from menura.features.embedders import embedder_of
from menura.matching.audition import Audition
from menura.matching.budget import Budget
from menura.matching.descend import Descend
from menura.matching.matcher import Matcher
from menura.matching.starts import InitialPatch
from menura.models.layout import Layout, fitted_layout
from menura.note import Note
from menura.synths.patches import patch_space
from menura.synths.registry import synth_of

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.models.checkpoint import write_proxy  # noqa: E402
from menura.models.descent import ProxyDescent  # noqa: E402
from menura.models.proxies import Proxy, proxy_size  # noqa: E402
from menura.models.soft_vectors import SoftVectors  # noqa: E402
from menura.training.proxy_loss import ProxyLoss  # noqa: E402

EMBEDDER = "spectra-stats"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained: a smooth function of the coordinates is all that is needed."""
    space = synth_of("toy").space
    embedder = embedder_of(EMBEDDER)
    torch.manual_seed(0)
    network = Proxy(space, embedder.dim, proxy_size("MLP-OH", 0.05))
    path = tmp_path_factory.mktemp("proxy") / "proxy.safetensors"
    write_proxy(path, network, space, {"name": EMBEDDER, "fingerprint": embedder.fingerprint}, {})
    return path


@pytest.fixture(scope="module")
def told() -> tuple[Layout, np.ndarray]:
    patches = patch_space(synth_of("toy"))
    vectors = patches.space.sample(np.random.default_rng(0), 64)
    layout = fitted_layout(patches, vectors)
    return layout, layout.encode(vectors)


def test_soft_vectors_of_a_patch_are_the_patch(told: tuple[Layout, np.ndarray]) -> None:
    layout, features = told
    soft = SoftVectors(layout, layout.space)(torch.from_numpy(features)).numpy()
    assert np.abs(soft - layout.decode(features)).max() < 1e-5


def test_soft_vectors_of_vital_are_the_patch() -> None:
    from menura.datasets.sampling import draw_preset, sampler_of

    vital = synth_of("vital")
    patches = patch_space(vital)
    sampler = sampler_of("human", vital)
    vectors = patches.space.encode_all(vital.freeze(draw_preset(sampler, vital, 5, index)) for index in range(12))
    layout = fitted_layout(patches, vectors)
    features = layout.encode(vectors)
    soft = SoftVectors(layout, layout.space)(torch.from_numpy(features)).numpy()
    assert np.abs(soft - layout.decode(features)).max() < 1e-5
    # In the synth's own space, which has more controls and lacks the tables.
    whole = SoftVectors(layout, vital.space)(torch.from_numpy(features)).numpy()
    for name in ("osc_1_level", "filter_1_cutoff", "modulation_1_amount", "modulation_2_destination"):
        assert np.allclose(whole[:, vital.space.index(name)], soft[:, patches.space.index(name)])


def test_the_parts_of_a_loss_reach_numbers(proxy: Path, told: tuple[Layout, np.ndarray]) -> None:
    layout, features = told
    dim = embedder_of(EMBEDDER).dim
    targets = np.random.default_rng(1).standard_normal((len(features), dim)).astype(np.float32)
    loss = ProxyLoss(layout, {"spectral": proxy}, {"spectral": targets}, {"spectral": 0.5})
    given = torch.from_numpy(0.5 * features[:8]).requires_grad_()
    parts = loss(given, loss.rows(np.arange(8)))
    assert set(parts) == {"spectral"}
    parts["spectral"].backward()
    numbers = [place.start for place in layout.places if place.kind == "continuous"]
    assert given.grad is not None
    assert (given.grad[:, numbers] != 0).any()
    assert not [name for name, each in loss.named_parameters() if each.requires_grad]
    with pytest.raises(InputError, match="the targets have"):
        ProxyLoss(layout, {"spectral": proxy}, {"spectral": targets[:, :3]}, {})


def test_descent_comes_nearer_and_moves_what_is_free_alone(proxy: Path) -> None:
    descent = ProxyDescent(proxy, steps=30, rate=0.02)
    space = descent.space
    vectors = space.sample(np.random.default_rng(0), 4)
    wanted = descent._proxy(torch.from_numpy(space.sample(np.random.default_rng(9), 1)))[0].detach().numpy()
    free = np.ones((4, space.dim), dtype=np.bool_)
    free[:, space.index("cutoff")] = False

    def away(found: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return np.square(descent._proxy(torch.from_numpy(found)).numpy() - wanted).sum(axis=1)

    moved = descent.moved(vectors, wanted, free)
    assert (away(moved) < away(vectors)).all()
    fixed = [n for n, p in enumerate(space.parameters) if p.kind != "continuous" or p.steps or p.name == "cutoff"]
    assert np.array_equal(moved[:, fixed], vectors[:, fixed])


def test_a_match_may_go_down_the_gradient_of_a_proxy(proxy: Path) -> None:
    toy = synth_of("toy")
    sound = toy.render(toy.init().with_values(cutoff=60.0, filter_on=1.0), Note(48, 0.8, 0.6, 1.2))
    stages = [InitialPatch(), Audition(), Descend(proxy, 2), Audition()]
    events = list(Matcher(toy, stages, workers=1).stream(sound, note=48.0, top=2, budget=Budget(12, 60.0)))
    proposed = [(event.stage, event.count) for event in events if isinstance(event, Proposed)]
    assert proposed == [("init", 1), ("descend", 1)]
    (finished,) = (event for event in events if isinstance(event, Finished))
    assert finished.matches
    assert finished.renders >= 3
    with pytest.raises(InputError, match="of toy, not of vital"):
        Matcher("vital", stages, workers=1).match(sound, note=48.0, top=1, budget=Budget(4, 60.0))
