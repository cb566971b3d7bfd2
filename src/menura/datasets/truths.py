"""Presets whose sounds are to be matched: frozen, rendered by an exact engine, and written beside their sound.

Owns the files of one such item. Knows no model and no set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from menura.audio import Audio, check_sound, encode_audio, read_audio
from menura.datasets.item import Item
from menura.datasets.names import file_name
from menura.datasets.store import Made, Store
from menura.errors import AudioError
from menura.note import Note
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.base import Synth
from menura.synths.pool import RenderPool

Tell = Callable[[str], None]
SILENT_PEAK = 1e-3
"""A rendered preset that never passes this (-60 dBFS) is silent: it has nothing to match."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A preset that is to become an item."""

    id: str
    preset: Preset
    """As it is rendered."""
    original: bytes
    """The file as its author left it."""
    note: Note
    category: str = ""
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What became of a draft."""

    draft: Draft
    audio: Audio | None = None
    """Its sound; None where there is none to match."""
    why: str = ""
    """Why there is none: ``"silent"``, or what the engine said."""


class Truths:
    """Renders drafts and keeps their files; use it in a ``with`` statement.

    An engine is started only when something is to be rendered, and ends with the statement.
    """

    def __init__(self, store: Store, synth: Synth, *, workers: int | None = None, tell: Tell | None = None) -> None:
        """Starts nothing yet.

        Args:
            store: where the files go.
            synth: whose presets they are.
            workers: processes that render; None takes one a core.
            tell: called with one line when rendering begins.
        """
        self.store = store
        self.synth = synth
        self.renders = 0
        """Presets rendered by this object, not counting what was there."""
        self._pool = RenderPool(synth.name, workers, mode="exact")
        self._tell = tell

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def hear(self, drafts: Sequence[Draft]) -> list[Heard]:
        """The sounds of drafts, in their order; what is kept already is read instead.

        Raises:
            EngineError: no engine could be started.
        """
        found: dict[int, Heard] = {}
        missing: list[int] = []
        for number, draft in enumerate(drafts):
            made = self.store.find(self.recipe(draft))
            if made is None:
                missing.append(number)
            else:
                found[number] = self._kept(draft, made)
        if missing:
            if self._tell:
                self._tell(f"rendering {len(missing)} presets of {self.synth.name}")
            requests = [(drafts[number].preset, drafts[number].note) for number in missing]
            for place, rendered in self._pool.stream(requests):
                number = missing[place]
                found[number] = _judged(drafts[number], rendered.audio, rendered.error)
            self.renders += len(missing)
        return [found[number] for number in range(len(drafts))]

    def write(self, heard: Heard) -> Item:
        """Writes sound, frozen preset and original, where they are not there yet, and makes the item.

        Raises:
            OutputError: the disk refuses.
            PresetError: the preset cannot be written.
        """
        draft, audio = heard.draft, heard.audio
        recipe = self.recipe(draft)
        made = self.store.find(recipe)
        stem = file_name(draft.id)
        names = [f"targets/{stem}.wav", f"truth/{stem}{self.synth.suffix}", f"truth/{stem}.original{self.synth.suffix}"]
        if made is None and audio is None:
            self.store.put(recipe, {}, {"why": heard.why})
        elif made is None and audio is not None:
            contents = [encode_audio(audio, ".wav"), self.synth.write(draft.preset), draft.original]
            made = self.store.put(recipe, dict(zip(names, contents, strict=True)), {"peak": round(audio.peak, 5)})
        sound, preset, original = (self.store.folder / name for name in names)
        return Item(
            id=draft.id,
            sound=sound,
            pitch=draft.note.pitch,
            note=draft.note,
            category=draft.category,
            source=draft.source,
            licence=draft.licence,
            synth=self.synth.name,
            preset=preset,
            original=original,
            sha256=made.files.get(names[0], "") if made else "",
            error="" if audio is not None else f"the preset gives no sound to match: {heard.why}",
        )

    def recipe(self, draft: Draft) -> Mapping[str, Any]:
        """Everything that decides the files of a draft."""
        return {
            "made": "truth",
            "id": draft.id,
            "preset": draft.preset.id,
            "original": hash_bytes(draft.original),
            "note": asdict(draft.note),
            "synth": self.synth.name,
            "version": self.synth.version,
        }

    def _kept(self, draft: Draft, made: Made) -> Heard:
        if not made.files:
            return Heard(draft, None, str(made.facts.get("why", "it failed before")))
        try:
            name = next(name for name in made.files if name.endswith(".wav"))
            return Heard(draft, read_audio(self.store.folder / name, on_warning=lambda _: None))
        except AudioError as error:
            return Heard(draft, None, str(error))


def _judged(draft: Draft, audio: Audio | None, error: str | None) -> Heard:
    if audio is None:
        return Heard(draft, None, error or "it gave no sound")
    try:
        check_sound(audio)
    except AudioError as trouble:
        return Heard(draft, None, "silent" if audio.peak < SILENT_PEAK else str(trouble))
    return Heard(draft, None, "silent") if audio.peak < SILENT_PEAK else Heard(draft, audio)
