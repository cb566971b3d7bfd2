"""What a proxy sees of a row: the parameters that move, the slots that are used, the note. Knows no network.

From the coordinates of a whole space to those of a smaller one: parameters that never move in a corpus are left out,
as are slots beyond the most that are used; routes stand in the first slots. The note, and what the space lacks, are
parameters like the others.

Source: Combes et al. 2025, section 3.1.2: notes "can be treated as additional synthesizer parameters".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from menura.errors import CheckpointError, CorpusError
from menura.space import Parameter, ParameterSpace
from menura.training.rows import Rows

_NOTE = (
    Parameter("note_pitch", "note", low=0.0, high=127.0, default=60.0, units="MIDI"),
    Parameter("note_velocity", "note", default=0.8),
    Parameter("note_hold", "note", low=0.0, high=8.0, default=1.0, units="s"),
    Parameter("note_total", "note", low=0.0, high=16.0, default=2.0, units="s"),
)
_LEAST_MOVED = 0.001
"""Share of the patches in which a parameter must stand elsewhere than usually."""
_LOOKED_AT = 16_384
"""Patches by which that is decided."""


@dataclass(frozen=True, eq=False)
class ProxyInputs:
    """How rows become what a proxy sees; `inputs_of` makes it."""

    source: ParameterSpace
    """Of the rows' coordinates."""
    space: ParameterSpace
    """Of what the proxy sees: `plain`, then `fields` of each slot, then `further`, then `notes`."""
    plain: tuple[int, ...]
    """Coordinates of the source that belong to no slot."""
    fields: tuple[str, ...]
    slots: int
    """That the proxy sees."""
    further: tuple[int, ...]
    notes: tuple[int, ...]
    """Numbers of a note, by their place."""

    def of(self, rows: Rows, patches: NDArray[np.int64], plays: NDArray[np.int64]) -> NDArray[np.float32]:
        """Coordinates of some rows, shape (n, space.dim).

        Args:
            rows: of the source.
            patches: which, shape (n,).
            plays: at which of their notes, shape (n,).

        Raises:
            CorpusError: the rows are of another space.
        """
        if rows.facts["space"] != self.source.fingerprint:
            raise CorpusError(
                f"rows of space {rows.facts['space']}, not {self.source.fingerprint} ({self.source.synth}); "
                "render a corpus with this version and synth"
            )
        vectors = np.asarray(rows.vectors[patches])
        parts = [vectors[:, list(self.plain)]]
        if self.slots:
            parts.append(self._packed(vectors))
        parts.append(np.asarray(rows.further[patches])[:, list(self.further)])
        notes = np.asarray(rows.notes[patches, plays])
        for place in self.notes:
            known = _NOTE[place]
            parts.append(np.clip((notes[:, place, None] - known.low) / (known.high - known.low), 0.0, 1.0))
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _packed(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The fields of the slots that hold a route, in the first places; shape (n, slots * fields)."""
        places = _places(self.source)
        connected = (vectors[:, places["source"]] > 0.0) & (vectors[:, places["destination"]] > 0.0)
        order = np.argsort(~connected, axis=1, kind="stable")[:, : self.slots]
        kept = np.take_along_axis(connected, order, axis=1)
        found = np.empty((len(vectors), self.slots, len(self.fields)), dtype=np.float32)
        for number, field in enumerate(self.fields):
            values = np.take_along_axis(vectors[:, places[field]], order, axis=1)
            rest = self.source.default[places[field][0]]
            found[:, :, number] = np.where(kept, values, rest)
        return found.reshape(len(vectors), -1)


def inputs_of(
    source: ParameterSpace, rows: Rows, further: ParameterSpace | None = None, *, most_slots: int = 16
) -> ProxyInputs:
    """Looks at the first patches of a corpus for what moves.

    Args:
        source: space of the rows' coordinates.
        rows: to be trained on.
        further: space of the rows' further coordinates, where they have some.
        most_slots: routes beyond these are not seen.

    Raises:
        CorpusError: the rows are of another space, or nothing in them moves.
    """
    if rows.facts["space"] != source.fingerprint:
        raise CorpusError(f"rows of space {rows.facts['space']}, not {source.fingerprint}; render a corpus anew")
    vectors = np.asarray(rows.vectors[:_LOOKED_AT])
    moved = _moved(vectors)
    plain = tuple(at for at, each in enumerate(source.parameters) if not each.slot and moved[at])
    kept: list[Parameter] = [source.parameters[at] for at in plain]
    places = _places(source)
    fields: tuple[str, ...] = ()
    slots = 0
    if "source" in places and "destination" in places:
        connected = (vectors[:, places["source"]] > 0.0) & (vectors[:, places["destination"]] > 0.0)
        slots = min(int(connected.sum(axis=1).max(initial=0)), most_slots)
        fields = tuple(field for field, columns in places.items() if moved[columns].any()) if slots else ()
        kept += [source.parameters[places[field][slot]] for slot in range(slots) for field in fields]
    added = _moved(np.asarray(rows.further[:_LOOKED_AT]))
    more = tuple(np.flatnonzero(added).tolist()) if further is not None else ()
    kept += [further.parameters[at] for at in more] if further is not None else []
    played = np.asarray(rows.notes[:_LOOKED_AT]).reshape(-1, len(_NOTE))
    notes = tuple(at for at in range(len(_NOTE)) if np.ptp(played[:, at]) > 0.0)
    kept += [_NOTE[at] for at in notes]
    if not kept:
        raise CorpusError("no parameter moves in these rows; render a corpus whose presets differ")
    space = ParameterSpace(source.synth, kept, slots=source.slots)
    return ProxyInputs(source, space, plain, fields, slots, more, notes)


def inputs_in(space: ParameterSpace, source: ParameterSpace, further: ParameterSpace | None = None) -> ProxyInputs:
    """How rows become what a trained proxy sees, by the space of its card.

    Args:
        space: of what it sees.
        source: space of the rows' coordinates.
        further: space of the rows' further coordinates, where they have some.

    Raises:
        CheckpointError: the proxy sees something that such rows lack.
    """
    notes = {each.name: at for at, each in enumerate(_NOTE)}
    own = [each for each in space.parameters if each.name in source]
    plain = tuple(source.index(each.name) for each in own if not each.slot)
    slots = max((each.slot for each in own), default=0)
    fields = tuple(dict.fromkeys(each.field for each in own if each.slot))
    others = [each.name for each in space.parameters if each.name not in source]
    more = tuple(further.index(name) for name in others if further is not None and name in further)
    played = tuple(notes[name] for name in others if name in notes)
    places = _places(source)
    kept = [source.parameters[at] for at in plain]
    kept += [source.parameters[places[field][slot]] for slot in range(slots) for field in fields]
    kept += [further.parameters[at] for at in more] if further is not None else []
    kept += [_NOTE[at] for at in played]
    if ParameterSpace(source.synth, kept, slots=source.slots).fingerprint != space.fingerprint:
        raise CheckpointError(
            f"the proxy's space {space.fingerprint} is not one of {source.synth} as it is here ({source.fingerprint}); "
            "train a proxy with this version and synth"
        )
    return ProxyInputs(source, space, plain, fields, slots, more, played)


def _moved(matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which columns stand elsewhere than at their middle value in enough rows."""
    if not matrix.size:
        return np.zeros(matrix.shape[1], dtype=bool)
    usual = np.median(matrix, axis=0)
    share = (np.abs(matrix - usual) > 1e-6).mean(axis=0)
    return share >= min(_LEAST_MOVED, 1.0 / len(matrix))


def _places(space: ParameterSpace) -> dict[str, NDArray[np.int64]]:
    """Field to its coordinates, one a slot, in the order of the slots."""
    found: dict[str, list[tuple[int, int]]] = {}
    for at, each in enumerate(space.parameters):
        if each.slot:
            found.setdefault(each.field, []).append((each.slot, at))
    return {field: np.array([at for _, at in sorted(each)], dtype=np.int64) for field, each in found.items()}
