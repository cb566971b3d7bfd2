"""Many renders at once: order, workers, crashes, deadlines, and nothing left behind."""

from __future__ import annotations

import contextlib
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from menura.errors import InputError, RenderError, UnknownNameError
from menura.note import Note
from menura.preset import Preset, Route
from menura.synths.pool import Mode, RenderPool, cores
from menura.synths.registry import synth_of
from menura.synths.vital.init import initial
from menura.synths.vital.player import VitalPlayer

SHORT = Note(57.0, 0.8, 0.06, 0.1)
TOY = synth_of("toy")
VITAL = synth_of("vital")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def toys(n: int, seed: int = 0) -> list[tuple[Preset, Note]]:
    matrix = TOY.space.sample(np.random.default_rng(seed), n)
    return [(TOY.freeze(preset), SHORT) for preset in TOY.space.decode_all(matrix, TOY.init())]


def vitals(n: int, seed: int = 0, *, groups: tuple[str, ...] = ()) -> list[Preset]:
    space = VITAL.space.subset(*groups) if groups else VITAL.space.lock("modulations", "lfos")
    matrix = space.sample(np.random.default_rng(seed), n)
    return [VITAL.freeze(preset) for preset in space.decode_all(matrix, VITAL.init())]


def faulty(fault: str) -> tuple[Preset, Note]:
    preset = TOY.freeze(TOY.init())
    return replace(preset, blocks={**preset.blocks, "fault": fault}), SHORT


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_are_in_order_and_those_of_the_synth() -> None:
    items = toys(12)
    with RenderPool("toy", workers=2) as pool:
        results = pool.render_many(items)
        assert pool.renders == 12
        assert pool.engine_seconds == pytest.approx(sum(result.engine_seconds for result in results))
    for (preset, note), result in zip(items, results, strict=True):
        assert result.ok
        assert result.audio is not None
        np.testing.assert_array_equal(result.audio.samples, TOY.render(preset, note).samples)


def test_a_stream_tells_each_result_once() -> None:
    with RenderPool("toy", workers=2) as pool:
        assert sorted(index for index, _ in pool.stream(toys(7))) == list(range(7))
        for index, _ in pool.stream(toys(7)):
            if index >= 0:
                break  # The rest is dropped; the pool goes on.
        assert len(pool.render_many(toys(3))) == 3
        assert pool.render_many([]) == []


def test_a_measure_is_taken_in_the_worker() -> None:
    items = toys(4)
    with RenderPool("toy", workers=2) as pool:
        results = pool.render_many(items, measure=operator.attrgetter("mono"))
        assert all(result.audio is None for result in results)
        np.testing.assert_array_equal(results[1].measured, TOY.render(*items[1]).mono)
        with pytest.raises(InputError, match="measure"):
            pool.render_many(items, measure=lambda audio: audio)
        failed = pool.render_many(items, measure=operator.attrgetter("no_such_thing"))
        assert all(result.error and not result.ok for result in failed)
        assert pool.render_many(items)[0].ok


@pytest.mark.parametrize("fault", ["nan", "crash", "hang"])
def test_one_bad_render_costs_one_result(fault: str) -> None:
    items = toys(6)
    items.insert(2, faulty(fault))
    with RenderPool("toy", workers=2, timeout=4.0) as pool:
        results = pool.render_many(items)
        assert [result.ok for result in results] == [index != 2 for index in range(7)]
        word = {"nan": "not finite", "crash": "crashed", "hang": "longer than 4 s"}[fault]
        assert word in (results[2].error or "")
        assert all(result.ok for result in pool.render_many(toys(4)))


@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_what_waits_behind_a_bad_render_is_rendered(fault: str) -> None:
    items = toys(20)
    items[7] = items[8] = items[19] = faulty(fault)
    with RenderPool("toy", workers=1, timeout=1.5) as pool:
        assert all(result.ok for result in pool.render_many(toys(5)))
        results = pool.render_many(items)
    assert [index for index, result in enumerate(results) if not result.ok] == [7, 8, 19]
    for (preset, note), result in zip(items, results, strict=True):
        if result.audio is not None:
            np.testing.assert_array_equal(result.audio.samples, TOY.render(preset, note).samples)


def test_large_requests_and_long_sounds_pass_each_other() -> None:
    """Neither fits its pipe: with both on their way at once, caller and worker would wait for each other."""
    preset = TOY.freeze(TOY.init())
    large = replace(preset, blocks={**preset.blocks, "letters": "a" * 300_000})
    long = Note(57.0, 0.8, 0.1, 25.0)
    with RenderPool("toy", workers=1) as pool:
        pool.render_many(toys(4))
        results = pool.render_many([(large, note) for note in (SHORT, SHORT, long, SHORT, SHORT, SHORT, SHORT)])
    assert all(result.ok for result in results), [result.error for result in results]
    assert results[2].audio is not None
    np.testing.assert_array_equal(results[2].audio.samples, TOY.render(large, long).samples)


@needs_fork
def test_a_crash_of_the_vital_engine_costs_one_render(monkeypatch: pytest.MonkeyPatch) -> None:
    player = VitalPlayer("exact")
    good = VITAL.freeze(initial())
    before, _ = player.play(good, SHORT, 44_100)
    crashing = good.with_values(filter_1_on=1.0, filter_1_cutoff=1e30)
    monkeypatch.setattr(VitalPlayer, "_check", lambda *_: None)
    with pytest.raises(RenderError, match="crashed"):
        player.play(crashing, SHORT, 44_100)
    after, _ = player.play(good, SHORT, 44_100)
    np.testing.assert_array_equal(before, after)


@needs_fork
@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_a_crash_of_the_vital_engine_costs_one_result_of_a_pool(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The workers' checks are taken off, so that the engine really crashes in them.
    (tmp_path / "sitecustomize.py").write_text(
        "from menura.synths.vital.player import VitalPlayer\nVitalPlayer._check = lambda self, preset: None\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    good = [(preset, SHORT) for preset in vitals(4)]
    crashing = VITAL.freeze(initial()).with_values(filter_1_on=1.0, filter_1_cutoff=1e30)
    with RenderPool("vital", workers=2, mode=mode) as pool:
        results = pool.render_many([*good[:2], (crashing, SHORT), *good[2:]])
        assert [result.ok for result in results] == [True, True, False, True, True]
        assert "crashed" in (results[2].error or "")


def test_a_preset_that_would_crash_is_one_failed_result() -> None:
    good = VITAL.freeze(initial())
    with RenderPool("vital", workers=1) as pool:
        results = pool.render_many([(good, SHORT), (good.with_values(filter_1_cutoff=1e30), SHORT), (good, SHORT)])
    assert [result.ok for result in results] == [True, False, True]
    assert "filter_1_cutoff" in (results[1].error or "")


def test_a_killed_worker_is_replaced() -> None:
    with RenderPool("toy", workers=1) as pool:
        assert pool.render_many(toys(2))[0].ok
        for pid in pool.processes():
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        assert [result.ok for result in pool.render_many(toys(3))][1:] == [True, True]


def test_frozen_sounds_do_not_depend_on_what_came_before_or_on_the_worker() -> None:
    others = vitals(20, seed=3)
    frozen = VITAL.freeze(initial()).with_values(chorus_on=1.0, reverb_on=1.0, delay_on=1.0, filter_1_on=1.0)
    expected = VITAL.render(frozen, SHORT).samples
    items = [(preset, SHORT) for preset in others]
    items[5:5] = [(frozen, SHORT)]
    items.append((frozen, SHORT))
    answers = {}
    for mode in ("exact", "fast"):
        for workers in (1, 2):
            with RenderPool("vital", workers=workers, mode=mode) as pool:
                results = pool.render_many(items)
                results += pool.render_many([(frozen, SHORT)] * 2)
            assert all(result.ok for result in results), [result.error for result in results]
            sounds = [result.audio.samples for result in results if result.audio is not None]
            for index in (5, 21, 22, 23):
                assert np.abs(sounds[index] - expected).max() <= 1e-6
            answers[mode, workers] = sounds
    for sounds in answers.values():
        for sound, reference in zip(sounds, answers["exact", 1], strict=True):
            np.testing.assert_array_equal(sound, reference)


def test_where_the_wheel_rests_belongs_to_each_preset() -> None:
    """The engine takes it from a preset that it loads, and from no control."""
    opened = replace(
        VITAL.freeze(initial()).with_values(filter_1_on=1.0, filter_1_cutoff=40.0),
        routes=(Route("mod_wheel", "filter_1_cutoff", 0.6, 1),),
    )
    presets = [opened.with_values(mod_wheel=place) for place in (0.5, 0.0, 0.9)]
    with RenderPool("vital", workers=1, mode="fast") as pool:
        sounds = [found.audio.samples for found in pool.render_many([(each, SHORT) for each in presets]) if found.audio]
    assert len(sounds) == 3
    for preset, sound in zip(presets, sounds, strict=True):
        np.testing.assert_array_equal(sound, VITAL.render(preset, SHORT).samples)
    assert np.abs(sounds[0] - sounds[1]).max() > 0.1


def test_search_renders_spend_their_time_in_the_engine() -> None:
    presets = vitals(24, groups=("oscillators", "filters", "envelopes"))
    with RenderPool("vital", workers=2, mode="fast") as pool:
        pool.render_many([(presets[0], SHORT)] * 2)
        before, began = pool.engine_seconds, time.perf_counter()
        pool.render_many([(preset, Note(57.0, 0.8, 0.5, 1.0)) for preset in presets])
        share = (pool.engine_seconds - before) / (time.perf_counter() - began) / 2
    assert share >= 0.6


def test_closing_ends_every_process() -> None:
    pool = RenderPool("toy", workers=2)
    pool.render_many(toys(4))
    pids = pool.processes()
    assert len(pids) == 2
    pool.close()
    pool.close()
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(InputError, match="closed"):
        pool.render_many(toys(1))


@needs_fork
def test_an_interrupt_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        textwrap.dedent(
            """
            import signal
            from menura.note import Note
            from menura.synths.pool import RenderPool
            from menura.synths.registry import synth_of

            # Tests that run in a shell's background have SIGINT ignored, and so have their children.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            preset = synth_of("vital").init()
            with RenderPool("vital", workers=2) as pool:
                pool.render_many([(preset, Note(60, 0.8, 0.1, 0.1))] * 2)
                print(*pool.processes(), flush=True)
                pool.render_many([(preset, Note(60, 0.8, 1.0, 2.0))] * 500)
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in errors
    assert not any(alive(pid) for pid in pids)


@needs_fork
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(
        "import os\n"
        "from menura.note import Note\n"
        "from menura.synths.pool import RenderPool\n"
        "from menura.synths.registry import synth_of\n"
        'pool = RenderPool("toy", workers=1)\n'
        'pool.render_many([(synth_of("toy").init(), Note(60, 0.8, 0.1, 0.1))])\n'
        "print(*pool.processes(), flush=True)\n"
        "os._exit(3)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    found = subprocess.run([sys.executable, str(script)], capture_output=True, env=environment, timeout=60, check=False)
    (pid,) = (int(word) for word in found.stdout.split())
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    assert not alive(pid)


@pytest.mark.parametrize(
    "arguments", [{"workers": 0}, {"mode": "sloppy"}, {"timeout": 0.0}, {"sample_rate": 10}, {"timeout": float("nan")}]
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        RenderPool("toy", **arguments)


def test_unknown_synths_are_named() -> None:
    with pytest.raises(UnknownNameError, match="toy"):
        RenderPool("moog")


def test_workers_follow_the_cores() -> None:
    assert RenderPool("toy").workers == cores() >= 1
