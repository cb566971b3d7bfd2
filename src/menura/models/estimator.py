"""`Estimator`: a sound in, samples of p(patch | sound) out, whatever network is behind it. Torch is not needed.

A model answers with samples, never with their mean: the mean of two good patches is a bad patch. Must not know synths
beyond the structure of their patches, nor where weights come from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura import storage
from menura.errors import InputError, SpaceError, WorkError
from menura.features.onnx_session import onnx_session
from menura.models.layout import Layout, layout_of
from menura.models.paths import walk
from menura.models.sound_view import SoundView
from menura.space import ParameterSpace
from menura.synths.patches import PatchSpace

CARD, ENCODER, DECODER = "card.json", "encoder.onnx", "decoder.onnx"
FORMAT = 1
STEPS, GUIDANCE = 24, 1.5
"""Of a walk; the card of a model may say others, chosen on validation sounds."""
_AT_ONCE = 64
"""Rows that go through the network together."""

NOISY = ("flow", "diffusion")
"""Kinds that clear up noise."""

Call = Callable[[Mapping[str, NDArray[np.float32]]], "list[NDArray[np.float32]]"]
"""Arrays by name to arrays."""


@dataclass(frozen=True, eq=False)
class Estimator:
    """A network with all that is needed to ask it."""

    kind: str
    layout: Layout
    encode: Call
    """pictures, contours, notes -> sound tokens."""
    decode: Call
    """features, time, sound, keep -> expected features, and widths of the continuous ones' distributions."""
    steps: int = STEPS
    guidance: float = GUIDANCE
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def space(self) -> ParameterSpace:
        """Of the samples."""
        return self.layout.space

    def fitting(self, space: ParameterSpace) -> Estimator:
        """Itself, where its samples are of this space. Raises SpaceError."""
        if space.fingerprint != self.space.fingerprint:
            raise SpaceError(
                f"the model answers in space {self.space.fingerprint} ({self.space.synth}), not in {space.fingerprint} "
                f"({space.synth}); use a model of this synth: menura models list"
            )
        return self

    def samples(self, view: SoundView, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Vectors of the space, each a patch that may sound so, shape (n, dim), snapped.

        The first of a regression is its likeliest patch, the others are drawn from its heads; all of a flow or a
        diffusion are drawn.

        Args:
            view: of the sound.
            n: how many.
            rng: where all chance comes from.

        Raises:
            WorkError: the network refuses the sound.
        """
        sound = self._heard(view)
        if self.kind not in NOISY:
            return self._drawn(sound, n, rng)
        noise = rng.standard_normal((n, self.layout.width), dtype=np.float32)
        return self.layout.decode(self._walked(sound, noise, rng))

    def variations(
        self, view: SoundView, vectors: NDArray[np.floating], rng: np.random.Generator, *, start: float, share: float
    ) -> NDArray[np.float32]:
        """Patches of which some parts and routes are drawn anew, given the sound and the other parts.

        Args:
            view: of the sound.
            vectors: of the patches, shape (n, dim).
            rng: where all chance comes from.
            start: time from which those parts are drawn: 0 forgets what they were, near 1 changes little.
            share: of the parts, and of the slots, that are drawn anew; one at least.

        Returns:
            Vectors of the same shape, snapped; what is not drawn anew is as it was.

        Raises:
            InputError: the model is no flow and no diffusion, which alone can do this.
            WorkError: the network refuses the sound.
        """
        if self.kind not in NOISY:
            raise InputError(f"a model of kind {self.kind!r} cannot vary patches; take one of {', '.join(NOISY)}")
        patch = self.layout.encode(vectors)
        tokens = self.layout.tokens
        drawn = rng.random((len(patch), len(tokens))) < share
        drawn[np.arange(len(patch)), rng.integers(0, len(tokens), len(patch))] = True
        free, moved = np.zeros(patch.shape, dtype=np.bool_), np.zeros(np.shape(vectors), dtype=np.bool_)
        for place, (features, coordinates) in enumerate(tokens):
            free[np.ix_(drawn[:, place], features)] = True
            moved[np.ix_(drawn[:, place], coordinates)] = True
        noise = rng.standard_normal(patch.shape, dtype=np.float32)
        found = self._walked(self._heard(view), noise, rng, start=start, patch=patch, free=free)
        return np.where(moved, self.layout.decode(found, vectors), self.space.snap(vectors))

    def _heard(self, view: SoundView) -> NDArray[np.float32]:
        given = {"pictures": view.picture[None], "contours": view.contour[None], "notes": view.note[None]}
        return self.encode({name: np.asarray(each, dtype=np.float32) for name, each in given.items()})[0]

    def _walked(
        self, sound: NDArray[np.float32], noise: NDArray[np.float32], rng: np.random.Generator, **more: Any
    ) -> NDArray[np.float32]:
        def mean(features: NDArray[np.float32], time: NDArray[np.float32], keep: NDArray[np.float32]) -> Any:
            found = [
                self.decode({
                    "features": features[a : a + _AT_ONCE],
                    "time": time[a : a + _AT_ONCE],
                    "sound": np.repeat(sound, len(features[a : a + _AT_ONCE]), axis=0),
                    "keep": keep[a : a + _AT_ONCE],
                })[0]
                for a in range(0, len(features), _AT_ONCE)
            ]  # fmt: skip
            return np.concatenate(found)

        path = "flow" if self.kind == "flow" else "diffusion"
        return walk(path, mean, noise, rng, steps=self.steps, guidance=self.guidance, **more)

    def _drawn(self, sound: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        one = np.ones(1, dtype=np.float32)
        nothing = np.zeros((1, self.layout.width), dtype=np.float32)
        told = self.decode({"features": nothing, "time": one, "sound": sound, "keep": one})
        means, spreads = told[0][0].astype(np.float64), told[1][0].astype(np.float64)
        rows = [means]
        for _ in range(n - 1):
            row = means.copy()
            for place in self.layout.places:
                here = slice(place.start, place.start + place.width)
                if place.kind == "choice":
                    row[here] = _picked(means[here], rng)
                elif place.kind == "toggle":
                    row[here] = np.where(rng.random() < 0.5 * means[here] + 0.5, 1.0, -1.0)
                else:
                    row[here] += rng.laplace(0.0, 1.0) * spreads[here]
            for picks in self.layout.slots.choices:
                for here in picks:
                    row[here] = _picked(means[here], rng)
            scalars = self.layout.slots.scalars
            row[scalars] += rng.laplace(0.0, 1.0, scalars.shape) * np.where(
                self.layout.slots.scalar_toggles, 0.0, spreads[scalars]
            )
            rows.append(row)
        return self.layout.decode(np.stack(rows))


def open_estimator(folder: Path, patches: PatchSpace) -> Estimator:
    """The estimator in a folder: its card and its two networks.

    Args:
        folder: with ``card.json``, ``encoder.onnx``, ``decoder.onnx``.
        patches: the space of the synth that is to play its answers.

    Raises:
        InputError: a file is missing, or is not the one that the card tells of.
        SpaceError: it was trained for another space.
        EngineError: ONNX Runtime is not installed.
    """
    card = read_card(folder)
    if card["space"] != patches.space.fingerprint:
        raise SpaceError(
            f"{folder} answers in space {card['space']} ({card['synth']}), not in {patches.space.fingerprint} "
            f"({patches.space.synth}); use a model that was trained for this synth and version: menura models list"
        )
    for name in (ENCODER, DECODER):
        found = storage.hash_file(folder / name) if (folder / name).is_file() else "nothing"
        if found != card["files"].get(name):
            told = str(card["files"].get(name))
            raise InputError(f"{folder / name} is {found[:12]}, its card tells of {told[:12]}; export it again")
    try:
        layout = layout_of(patches, card["layout"])
    except SpaceError as error:
        raise SpaceError(f"{folder}: {error}") from error
    encode, decode = _session(folder / ENCODER), _session(folder / DECODER)
    return Estimator(card["kind"], layout, encode, decode, int(card["steps"]), float(card["guidance"]), card)


def read_card(folder: Path) -> dict[str, Any]:
    """What is told of the model in a folder.

    Raises:
        InputError: there is none, or it is damaged or of another version.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        needed = ("format", "kind", "synth", "space", "layout", "files", "steps", "guidance")
        missing = [name for name in needed if name not in card]
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no model ({error}); menura models list shows those that there are") from error
    if missing or card["format"] != FORMAT:
        raise InputError(f"{path} is no card that this version reads; update menura, or train the model anew")
    return card


def _session(path: Path) -> Call:
    session = onnx_session(path)
    names = {each.name for each in session.get_inputs()}

    def call(given: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        try:
            return session.run(None, {name: each for name, each in given.items() if name in names})
        except Exception as error:
            raise WorkError(f"the network in {path} refuses what it is given: {error}") from error

    return call


def _picked(means: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """One of n, by the shares that its expected features say: twice a share less one, times any number."""
    count = len(means)
    scale = float(means.sum()) / (2.0 - count) if count > 2 else 1.0
    shares = np.maximum(0.5 * means / max(scale, 1e-6) + 0.5, 0.0) + 1e-12
    found = np.full(count, -1.0)
    found[int(rng.choice(count, p=shares / shares.sum()))] = 1.0
    return found
