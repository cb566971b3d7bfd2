"""Corpora: shards are pure functions of plan and number, whoever renders them and whatever dies meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descendants import descendants, kill_one
from menura.audio import Audio, measure_loudness
from menura.datasets.corpus import MANIFEST, PLAN, Corpus
from menura.datasets.corpus_check import check_corpus
from menura.datasets.listening import Listener
from menura.datasets.places import place_of
from menura.datasets.plan import RenderPlan, plan_of
from menura.datasets.rendering import render_corpus
from menura.datasets.sampling import SAMPLERS, draw_preset
from menura.datasets.shards import Shard, shard_name
from menura.datasets.studio import render_shard
from menura.errors import CorpusError, EngineError, InputError, OutputError, UnknownNameError, WorkError
from menura.features.embedders import embedder_of
from menura.note import Note
from menura.preset import Preset
from menura.report.corpus_plots import draw_corpus
from menura.storage import hash_file
from menura.synths.registry import synth_of

TOY = synth_of("toy")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and RLIMIT_FSIZE")
NOTES = (Note(48, 0.9, 0.2, 0.3), Note(60, 0.4, 0.2, 0.3))


def toy_plan(count: int = 12, **changes) -> RenderPlan:
    return plan_of(count, "sparse", "toy", **{"seed": 3, "notes": NOTES, "shard_size": 4, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones included, so that nothing half-written goes unseen."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """A corpus that one process rendered in peace."""
    folder = tmp_path_factory.mktemp("undisturbed") / "corpus"
    told = []
    manifest = render_corpus(toy_plan(), str(folder), workers=1, tell=told.append)
    assert (manifest["items"], manifest["rows"], len(manifest["shards"])) == (12, 24, 3)
    assert (told[-1].items, told[-1].rendered, told[-1].shards) == (12, 12, 3)
    return folder


@pytest.fixture
def copy(undisturbed, tmp_path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(undisturbed, tmp_path / "copy"))


def test_a_shard_is_a_pure_function_of_its_number(undisturbed, tmp_path):
    for number in (2, 0):
        facts = render_shard(toy_plan(), str(tmp_path), number)
        name = shard_name(number)
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes()
        assert facts.sha256 == hash_file(undisturbed / name)


def test_an_item_does_not_depend_on_the_size_of_shards(undisturbed, tmp_path):
    render_shard(toy_plan(shard_size=6), str(tmp_path), 0)
    large, small = Shard(place_of(tmp_path), shard_name(0)), Shard(place_of(undisturbed), shard_name(1))
    assert large.table().slice(8).equals(small.table().slice(0, 4))
    large.close()
    small.close()


def test_a_row_gives_back_what_was_rendered(tmp_path):
    plan = toy_plan(3, audio=True)
    render_shard(plan, str(tmp_path), 0)
    shard = Shard(place_of(tmp_path), shard_name(0))
    rows = shard.table().to_pylist()
    assert [(row["index"], row["play"]) for row in rows] == [(i, play) for i in range(3) for play in (0, 1)]
    for number, row in enumerate(rows):
        preset = shard.preset(number)
        drawn = draw_preset(SAMPLERS.get("sparse"), TOY, plan.seed, row["index"], row["attempt"])
        assert preset == drawn
        assert preset.id == row["preset_id"]
        assert (preset.name, dict(preset.origin)) == (drawn.name, dict(drawn.origin))
        assert shard.note(number) == NOTES[row["play"]]
        np.testing.assert_array_equal(shard.matrix("vector")[number], TOY.space.encode(preset))
        assert [(r["source"], r["destination"], r["amount"]) for r in row["routes"]] == [
            (r.source, r.destination, r.amount) for r in preset.routes
        ]
        sound = TOY.render(preset, shard.note(number))
        assert row["peak"] == pytest.approx(sound.peak)
        np.testing.assert_allclose(shard.audio(number).samples, sound.samples, atol=row["flac_gain"] * 2.0**-23)
        expected = embedder_of("mel128").embed([sound])[0]
        np.testing.assert_array_equal(shard.matrix("embedding mel128")[number], expected.astype(np.float16))
    shard.close()


def test_sounds_beyond_full_scale_are_kept():
    loud = Audio(np.random.default_rng(0).uniform(-5.0, 5.0, (2, 4000)), 44_100)
    heard = Listener((), audio=True)(loud)
    assert heard.flac_gain == 8.0
    assert heard.peak == loud.peak > 4.0


def test_levels_are_those_of_both_channels(rng):
    one = rng.uniform(-0.5, 0.5, 44_100)
    for sound in (Audio([one, one], 44_100), Audio([one, 0.3 * one], 44_100)):
        heard, loudness = Listener(())(sound), measure_loudness(sound)
        assert (heard.peak, heard.rms_dbfs) == (sound.peak, pytest.approx(loudness.rms_dbfs))
        assert heard.duration == pytest.approx(1.0)


def faulty(synth, rng: np.random.Generator) -> Preset:
    """Silent, broken, or one that ends its worker, more often than not."""
    preset = synth.init().with_values(transpose=float(rng.integers(-12, 12)))
    kind = int(rng.integers(5))
    if kind == 0:
        return preset.with_values(level=0.0)
    return replace(preset, blocks={**preset.blocks, "fault": {1: "nan", 2: "crash"}.get(kind, "")})


def test_silent_and_crashing_draws_are_replaced_and_told(tmp_path):
    SAMPLERS.register("faulty", faulty)
    plan = plan_of(3, "faulty", "toy", seed=7, notes=NOTES[:1])
    render_shard(plan, str(tmp_path / "a"), 0)
    shard = Shard(place_of(tmp_path / "a"), shard_name(0))
    assert {draw.why for draw in shard.rejected} == {"silent", "failed"}
    kinds = [draw_preset(faulty, TOY, 7, draw.index, draw.attempt).blocks.get("fault") for draw in shard.rejected]
    assert "crash" in kinds
    for row in shard.table(["index", "attempt"]).to_pylist():
        lost = [draw.attempt for draw in shard.rejected if draw.index == row["index"]]
        assert lost == list(range(row["attempt"]))
    shard.close()


def test_an_item_that_never_sounds_ends_the_run(tmp_path):
    SAMPLERS.register("mute", lambda synth, rng: synth.init().with_values(level=0.0, tune=float(rng.random())))
    with pytest.raises(WorkError, match=r"item 0: 50 draws of prior 'mute' .* choose another prior"):
        render_shard(plan_of(1, "mute", "toy", notes=NOTES[:1]), str(tmp_path), 0)
    assert not list(tmp_path.rglob("*.parquet"))


@linux
def test_killed_processes_change_nothing(tmp_path, monkeypatch, repository):
    """kill -9 of a process that renders, and of an engine's worker, midway."""
    plan = plan_of(6, "sparse", "vital", seed=5, notes=NOTES, shard_size=3)
    for number in range(plan.shards):
        render_shard(plan, str(tmp_path / "calm"), number)
    killed = []

    def disturb(progress) -> None:
        if progress.rendered == 1:
            killed.append(kill_one("pool_worker"))
        if progress.rendered == 2:
            killed.append(kill_one("local_rendering"))

    render_corpus(plan, str(tmp_path / "corpus"), workers=2, tell=disturb)
    assert killed
    assert all(killed)
    for number in range(plan.shards):
        assert (tmp_path / "corpus" / shard_name(number)).read_bytes() == (
            tmp_path / "calm" / shard_name(number)
        ).read_bytes()
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", (repository / "docs" / "scale.md").read_text("utf-8"), re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/scale.md", "exec"), names)
    assert names["embeddings"].shape == (6, 128)


def test_a_killed_run_goes_on_without_rendering_a_finished_shard_twice(undisturbed, tmp_path):
    code = (
        "from menura.datasets.rendering import render_corpus; from menura.datasets.plan import plan_of\n"
        "from menura.note import Note\n"
        f"notes = {NOTES!r}\n"
        f"plan = plan_of(12, 'sparse', 'toy', seed=3, notes=notes, shard_size=4)\n"
        f"render_corpus(plan, {str(tmp_path / 'corpus')!r}, workers=1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True)
    first = tmp_path / "corpus" / shard_name(0)
    while not first.exists():
        assert run.poll() is None
        time.sleep(0.002)
    run.kill()
    run.wait()
    assert not (tmp_path / "corpus" / MANIFEST).exists()
    written = first.stat().st_mtime_ns
    (tmp_path / "corpus" / "shards" / ".menura-half.parquet").write_bytes(b"what a writer that was killed leaves")
    render_corpus(toy_plan(), str(tmp_path / "corpus"), workers=2)
    assert first.stat().st_mtime_ns == written
    assert contents(tmp_path / "corpus") == contents(undisturbed)


def test_a_damaged_shard_is_named_and_can_be_mended(undisturbed, copy):
    victim = copy / shard_name(1)
    whole = victim.read_bytes()
    for broken in (whole[:-40], whole[: len(whole) // 2], b"", whole[:4000] + b"\0" * 8 + whole[4008:]):
        victim.write_bytes(broken)
        found = check_corpus(Corpus(str(copy)))
        assert list(found.damaged) == [shard_name(1)]
        assert "delete it and run the same" in found.damaged[shard_name(1)]
        assert found.shards == 2
    victim.write_bytes(whole[:-40])
    (copy / MANIFEST).unlink()
    with pytest.raises(CorpusError, match=r"00001\.parquet is damaged .*delete it and run the same"):
        render_corpus(toy_plan(), str(copy))
    victim.unlink()
    render_corpus(toy_plan(), str(copy), workers=1)
    assert contents(copy) == contents(undisturbed)


def test_checksums_find_damage_without_a_manifest(copy):
    (copy / MANIFEST).unlink()
    victim = copy / shard_name(2)
    whole = bytearray(victim.read_bytes())
    whole[3000] ^= 1
    victim.write_bytes(whole)
    assert list(check_corpus(Corpus(str(copy))).damaged) == [shard_name(2)]


def test_what_is_in_a_corpus(undisturbed):
    found = check_corpus(Corpus(str(undisturbed)))
    assert not found.damaged
    assert (found.shards, found.items, found.rows, found.duplicates) == (3, 12, 24, 0)
    assert found.measures["rms_dbfs"].shape == found.play.shape == (24,)
    assert found.shown.shape == (24, 128)
    assert found.statistics()["duration"]["p95"] <= 0.3 + 1e-6
    picture = draw_corpus(found, toy_plan())
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


def test_another_plan_is_refused_by_its_differences(copy):
    with pytest.raises(CorpusError, match=r"seed 3, not 4; notes 48/0\.9/0\.2/0\.3, .* or another folder"):
        render_corpus(toy_plan(seed=4, notes=NOTES[:1]), str(copy))


def test_another_engine_and_another_space_are_refused(copy):
    plan = toy_plan()
    newer = replace(plan, fingerprints={**plan.fingerprints, "engine": "toy 2"})
    with pytest.raises(CorpusError, match=r"engine toy 1, not toy 2"):
        render_corpus(newer, str(copy))
    with pytest.raises(EngineError, match=r"engine toy 2, not toy 1.* install what"):
        render_shard(newer, str(copy), 7)
    Corpus(str(copy)).require(TOY.space)
    with pytest.raises(CorpusError, match=r"holds vectors of space"):
        Corpus(str(copy)).require(TOY.space.subset("oscillators"))


@linux
def test_a_full_disk_leaves_no_half_file(tmp_path):
    """A limit on the size of files fails in the middle of a write, as a full disk does."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OutputError, match=r"00000\.parquet cannot be written"):
            render_corpus(toy_plan(4), str(tmp_path), workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(contents(tmp_path)) == [PLAN]


def test_storage_behind_an_address_holds_the_same_bytes(undisturbed, tmp_path):
    render_corpus(toy_plan(), f"file://{tmp_path}/corpus", workers=1)
    assert contents(tmp_path / "corpus") == contents(undisturbed)
    place = place_of("memory://menura-test/corpus")
    place.write("shards/00000.parquet", b"one")
    place.write("shards/00000.parquet", b"two")
    place.write("shards/.menura-left", b"half")
    assert place.names("shards") == ["shards/00000.parquet"]
    assert place.open("shards/00000.parquet").read() == b"two"
    place.tidy("shards")
    assert not place.exists("shards/.menura-left")
    assert place.names("absent") == []
    with pytest.raises(CorpusError, match=r"cannot be read"):
        place.open("absent")
    with pytest.raises(InputError, match=r"is no place that fsspec knows"):
        place_of("nothing://here")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"count": 0}, InputError, "0 items"),
        ({"notes": ()}, InputError, "at least one note"),
        ({"notes": (NOTES[0], NOTES[0])}, InputError, "each once"),
        ({"sample_rate": 100}, InputError, "100 Hz"),
        ({"count": 10**9, "shard_size": 1}, InputError, "larger shard size"),
        ({"prior": "absent"}, UnknownNameError, "no sampler"),
        ({"embedders": ("absent",)}, UnknownNameError, "no embedder"),
    ],
)
def test_bad_plans_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        plan_of(**{"count": 4, "prior": "sparse", "synth": "toy", **changes})


@pytest.mark.parametrize("count", [1, 15, 16, 17, 1000, 20_000, 10_000_000])
def test_shards_hold_every_item_once(count):
    plan = plan_of(count, "sparse", "toy", embedders=())
    assert plan.items(0).start == 0
    assert plan.items(plan.shards - 1).stop == count
    assert all(plan.items(n).stop == plan.items(n + 1).start for n in range(min(plan.shards - 1, 50)))
    assert 16 <= plan.shard_size <= 1024


def test_workers_end_with_the_run(tmp_path):
    with pytest.raises(InputError, match="0 workers"):
        render_corpus(toy_plan(), str(tmp_path), workers=0)
    assert not descendants(os.getpid(), "local_rendering")
