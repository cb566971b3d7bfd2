"""The loop: it learns, keeps the best, and a run that was killed is the run that was not."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.errors import InputError, WorkError

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[reference]'")
pytest.importorskip("lightning_fabric", reason="Lightning Fabric is not installed: pip install -e '.[train]'")

from menura.training.loop import Fitted, Progress, fit  # noqa: E402
from menura.training.metrics_file import METRICS, read_metrics  # noqa: E402
from menura.training.settings import LoopSettings, Machine, learning_rate  # noqa: E402
from menura.training.state import STATE, best_path, read_best  # noqa: E402
from menura.training.task import EpochOrder  # noqa: E402

CPU = Machine(accelerator="cpu")
SETTINGS = LoopSettings(
    steps=60, batch=8, rate=1e-2, warm_up=0.1, restarts=(0.5,), average=0.9, log_every=5, check_every=20,
    best={"error": "lowest", "close": "highest"},
)  # fmt: skip


class Line:
    """Learns to double and add, with dropout and noise, so that both kinds of chance are in the run."""

    def __init__(self, seed: int = 0, *, slowly: float = 0.0, factor: float = 2.0) -> None:
        self._slowly, self._factor = slowly, factor
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = torch.nn.Sequential(
                torch.nn.Linear(3, 16), torch.nn.BatchNorm1d(16), torch.nn.Dropout(0.1), torch.nn.Linear(16, 1)
            )
        self._order = EpochOrder(32, 8, seed)
        self._inputs = np.random.default_rng(seed).standard_normal((32, 3)).astype(np.float32)

    @property
    def fingerprint(self) -> str:
        return f"line {self._factor}"

    def batch(self, step: int, rng: np.random.Generator) -> Mapping[str, Any]:
        time.sleep(self._slowly)
        inputs = self._inputs[self._order(step)]
        noise = rng.standard_normal((len(inputs), 1)).astype(np.float32)
        return {"inputs": inputs, "wanted": self._factor * inputs.sum(axis=1, keepdims=True) + 1.0 + 0.01 * noise}

    def loss(self, network: Any, batch: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        found = network(batch["inputs"])
        error = (found - batch["wanted"]).abs().mean()
        return error, {"size": found.abs().mean()}

    def validate(self, network: Any) -> Mapping[str, float]:
        inputs = torch.from_numpy(self._inputs)
        error = float((network(inputs) - self._factor * inputs.sum(dim=1, keepdim=True) - 1.0).abs().mean())
        return {"error": error, "close": 1.0 / (1.0 + error)}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def weights(fitted: Fitted) -> np.ndarray:
    return np.concatenate([each.detach().double().numpy().ravel() for each in fitted.network.state_dict().values()])


def without_speed(folder: Path) -> list[dict[str, Any]]:
    return [line for line in read_metrics(folder) if line["kind"] != "speed"]


def test_it_learns_and_keeps_the_best(tmp_path: Path) -> None:
    told: list[Progress] = []
    fitted = fit(Line(), SETTINGS, tmp_path, told.append, machine=CPU)
    assert [each.step for each in told] == [20, 40, 60]
    assert told[-1].losses["loss"] < 0.6 * told[0].losses["loss"]
    assert set(told[0].losses) == {"loss", "size"}
    assert told[0].speed["examples_per_second"] > 0.0
    assert 0.0 <= told[0].speed["waited"] <= 1.0
    errors = [each.judged["error"] for each in told]
    assert fitted.best["error"].value == min(errors)
    assert fitted.best["close"].step == fitted.best["error"].step == (errors.index(min(errors)) + 1) * 20
    kept, best = read_best(tmp_path, "error")
    assert best == fitted.best["error"]
    other = Line(seed=5)
    other.network.load_state_dict(kept)
    with torch.inference_mode():
        assert other.validate(other.network.eval())["error"] != best.value  # other inputs
        assert Line().validate(other.network)["error"] == best.value
    lines = read_metrics(tmp_path)
    assert [line["step"] for line in lines if line["kind"] == "train"] == list(range(5, 61, 5))
    assert lines[0]["rate"] == learning_rate(SETTINGS, 4)
    # All is done: nothing is done again.
    before = (tmp_path / METRICS).read_bytes()
    np.testing.assert_array_equal(weights(fit(Line(), SETTINGS, tmp_path, machine=CPU)), weights(fitted))
    assert (tmp_path / METRICS).read_bytes() == before


def test_a_run_that_was_stopped_anywhere_is_the_run_that_was_not(tmp_path: Path) -> None:
    whole = fit(Line(), SETTINGS, tmp_path / "whole", machine=CPU)
    for stop in (1, 13, 20, 47):
        fit(Line(), SETTINGS, tmp_path / "parts", machine=CPU, until=stop)
    parts = fit(Line(), SETTINGS, tmp_path / "parts", machine=CPU)
    np.testing.assert_array_equal(weights(parts), weights(whole))
    assert parts.best == whole.best


KILLED = """
import sys
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
from test_training_loop import CPU, SETTINGS, Line
from menura.training.loop import fit
fit(Line(slowly=0.02), SETTINGS, __import__("pathlib").Path(sys.argv[1]), machine=CPU)
"""


def test_a_killed_process_goes_on_to_the_same_weights(tmp_path: Path, rng: np.random.Generator) -> None:
    whole = fit(Line(), SETTINGS, tmp_path / "whole", machine=CPU)
    folder = tmp_path / "killed"
    paths = [path for path in sys.path if path] + [str(Path(__file__).parent)]
    code = KILLED.format(paths=paths)
    for lines in (int(rng.integers(1, 4)), int(rng.integers(6, 11))):
        process = subprocess.Popen([sys.executable, "-c", code, str(folder)])
        deadline = time.monotonic() + 120.0
        # A random step after so many lines.
        while len(read_metrics(folder)) < lines and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0.0, 0.1)))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    resumed = fit(Line(), SETTINGS, folder, machine=CPU)
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert resumed.best == whole.best
    assert without_speed(folder) == without_speed(tmp_path / "whole")
    for name in ("error", "close"):
        assert best_path(folder, name).read_bytes() == best_path(tmp_path / "whole", name).read_bytes()


DEALT = """
import json
import os
import sys
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
from dataclasses import replace
from pathlib import Path
from test_training_loop import SETTINGS, Line
from menura.training.loop import fit
from menura.training.settings import Machine
task = Line()
task.network[1], task.network[2] = torch.nn.Identity(), torch.nn.Identity()
folder, devices = Path(sys.argv[1]), int(sys.argv[2])
fitted = fit(task, replace(SETTINGS, steps=10), folder, machine=Machine(accelerator="cpu", devices=devices))
said = [float(each) for each in torch.cat([each.ravel() for each in fitted.network.parameters()])]
# A file for each process: two lines on one pipe may run into each other.
(folder / f"said-{{os.getpid()}}.json").write_text(json.dumps(said))
"""


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(DEALT.format(paths=[path for path in sys.path if path] + [str(Path(__file__).parent)]))
    said = []
    for devices in (1, 2):
        command = [sys.executable, str(script), str(tmp_path / str(devices)), str(devices)]
        subprocess.run(command, check=True, timeout=300)
        said.append([json.loads(path.read_text()) for path in (tmp_path / str(devices)).glob("said-*.json")])
    assert len(said[1]) == 2
    assert said[1][0] == said[1][1]
    # Without dropout and batch statistics only the order of sums differs.
    np.testing.assert_allclose(said[1][0], said[0][0], atol=1e-5)
    assert len(read_metrics(tmp_path / "2")) == len(read_metrics(tmp_path / "1"))


def test_a_state_of_another_run_is_refused(tmp_path: Path) -> None:
    fit(Line(), SETTINGS, tmp_path, machine=CPU, until=1)
    with pytest.raises(InputError, match=r"other settings or data \(task line 2.0, not line 3.0\)"):
        fit(Line(factor=3.0), SETTINGS, tmp_path, machine=CPU)
    changed = replace(SETTINGS, steps=61)
    with pytest.raises(InputError, match="settings steps 60, not 61"):
        fit(Line(), changed, tmp_path, machine=CPU)
    (tmp_path / STATE).write_bytes(b"broken")
    with pytest.raises(InputError, match="cannot be read"):
        fit(Line(), SETTINGS, tmp_path, machine=CPU)
    with pytest.raises(InputError, match="train first"):
        read_best(tmp_path, "error")


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    hot = replace(SETTINGS, log_every=1)
    with pytest.raises(WorkError, match="a rate below"):
        fit(Line(factor=math.inf), hot, tmp_path / "hot", machine=CPU)
    assert not (tmp_path / "hot" / STATE).exists()
    with pytest.raises(InputError, match="no number 'mrr' to choose the best by; there are error, close"):
        fit(Line(), LoopSettings(steps=1, batch=8, rate=1e-3, best={"mrr": "highest"}), tmp_path, machine=CPU)
    with pytest.raises(WorkError, match="cannot be used"):
        fit(Line(), SETTINGS, tmp_path, machine=Machine(accelerator="no such thing"))
    for wrong in ({"steps": 0}, {"rate": 0.0}, {"lowest": 1.0}, {"warm_up": 1.0}, {"restarts": (0.5, 0.2)}):
        with pytest.raises(InputError, match="give"):
            LoopSettings(**{"steps": 10, "batch": 2, "rate": 1e-3, **wrong})


def test_coarse_products_change_rounding_alone_and_are_put_back(tmp_path: Path) -> None:
    exactly = torch.get_float32_matmul_precision(), torch.backends.mkldnn.conv.fp32_precision
    during = list[str]()
    coarse = fit(
        Line(), SETTINGS, tmp_path / "coarse", lambda _: during.append(torch.get_float32_matmul_precision()),
        machine=Machine("cpu", coarse=True),
    )  # fmt: skip
    exact = fit(Line(), SETTINGS, tmp_path / "exact", machine=CPU)
    assert set(during) == {"medium"}
    assert (torch.get_float32_matmul_precision(), torch.backends.mkldnn.conv.fp32_precision) == exactly
    for one, other in zip(coarse.network.parameters(), exact.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=0.05)


def test_bfloat16_learns_too(tmp_path: Path) -> None:
    settings = LoopSettings(steps=40, batch=8, rate=1e-2, precision="bf16-mixed", check_every=20)
    told: list[Progress] = []
    fit(Line(), settings, tmp_path, told.append, machine=CPU)
    assert told[-1].losses["loss"] < told[0].losses["loss"]


def test_the_rate_rises_falls_and_begins_anew() -> None:
    settings = LoopSettings(steps=300, batch=1, rate=1e-3, lowest=2e-6, warm_up=0.1, restarts=(1 / 3,))
    rates = [learning_rate(settings, step) for step in range(300)]
    assert rates[0] == pytest.approx(1e-3 / 30)
    assert rates[29] == rates[30] == pytest.approx(1e-3)
    assert rates[65] == pytest.approx(2e-6 + (1e-3 - 2e-6) / 2)
    assert rates[99] < 5e-6
    assert rates[100] == pytest.approx(1e-3)
    assert rates[200] == pytest.approx(2e-6 + (1e-3 - 2e-6) / 2)
    assert min(rates) >= 2e-6
    assert rates[299] < 3e-6
    plain = LoopSettings(steps=10, batch=1, rate=1e-3, lowest=0.0)
    assert learning_rate(plain, 5) == pytest.approx(0.5e-3)
    assert math.isclose(learning_rate(plain, 0), 1e-3)


def test_each_example_comes_once_an_epoch() -> None:
    order = EpochOrder(10, 3, seed=4)
    epochs = [np.concatenate([order(step) for step in range(3 * epoch, 3 * epoch + 3)]) for epoch in range(3)]
    assert all(len(set(each.tolist())) == 9 for each in epochs)
    assert len({tuple(each) for each in epochs}) == 3
    # Asked in another order, it says the same.
    np.testing.assert_array_equal(order(1), epochs[0][3:6])
