"""The same settings are the same sound in every worker, also where a plug-in reads memory or chance not its own."""

from __future__ import annotations

import numpy as np
import pytest

from engines import installed
from menura.note import Note
from menura.synths.pool import RenderPool

SHORT = Note(50.0, 0.8, 0.3, 0.5)


# JX10 reads memory that it never wrote; Kars plucks with the C library's random numbers.
@pytest.mark.parametrize("name", ["plugin:http://drobilla.net/plugins/mda/JX10", "plugin:Kars-vst.so"])
@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_workers_agree_to_the_last_bit(name: str, mode: str) -> None:
    synth = installed(name)
    rng = np.random.default_rng(3)
    presets = synth.space.decode_all(synth.space.sample(rng, 20), synth.init())
    items = [(preset, SHORT) for preset in presets]
    with RenderPool(synth.name, workers=1, mode="exact") as pool:
        first = pool.render_many(items)
    with RenderPool(synth.name, workers=2, mode=mode) as pool:  # pyright: ignore[reportArgumentType]
        second = pool.render_many(items[::-1])[::-1]
    assert all(one.ok for one in (*first, *second))
    for one, other in zip(first, second, strict=True):
        assert one.audio is not None
        assert other.audio is not None
        np.testing.assert_array_equal(one.audio.samples, other.audio.samples)
    assert max(float(np.abs(one.audio.samples).max()) for one in first if one.audio) > 0.01
