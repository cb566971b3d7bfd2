"""Shards of a corpus: Parquet files of rendered presets. Owns their columns and metadata.

A row is one item played one way, in the order of items and, within an item, of the plan's notes:

| column | |
|---|---|
| `index` | the item |
| `seed`, `attempt` | where its chance comes from, and how many draws before it gave nothing |
| `play`, `pitch`, `velocity`, `hold`, `total` | which of the plan's notes, and that note |
| `vector` | coordinates of the space, float32 |
| `routes` | modulations, as the preset has them |
| `preset`, `preset_id`, `origin` | the synth's own file, compressed; sha256 of the state; lineage as JSON |
| `peak`, `rms_dbfs`, `duration` | of the sound |
| `embedding NAME` | float16, one column an embedder |
| `flac`, `flac_gain` | the sound, where the plan asks for it: samples times gain |

Presets of one synth have most of their file in common (of Vital's 175 kB, all but 1.4), so each is compressed by zstd
against the initial patch, which lies in the shard's metadata: every shard can be read by itself.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from menura.audio import Audio
from menura.datasets.places import Place, read
from menura.datasets.plan import RenderPlan, read_plan
from menura.datasets.rendered_item import Rejected, RenderedItem
from menura.errors import CorpusError, InputError, MenuraError
from menura.note import Note
from menura.preset import Preset
from menura.storage import hash_bytes
from menura.synths.registry import synth_of

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import zstandard
except ImportError as missing:
    raise InputError(f"corpora need pyarrow and zstandard ({missing}); pip install 'menura[corpora]'") from missing

FOLDER = "shards"
_LEVEL = 9
"""Of zstd, for presets: 0.3 ms each, a third smaller than level 3; level 12 takes ten times as long for a tenth."""
_FACTS = b"menura"
_DICTIONARY = b"menura.dictionary"
_ROUTE = pa.struct(
    [
        ("slot", pa.int16()),
        ("source", pa.string()),
        ("destination", pa.string()),
        ("amount", pa.float64()),
        ("bipolar", pa.bool_()),
        ("stereo", pa.bool_()),
        ("bypass", pa.bool_()),
        ("power", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """One line of a corpus' manifest."""

    number: int
    name: str
    sha256: str
    size: int
    """Bytes."""
    items: int
    rows: int
    rejected: Mapping[str, int]
    """Reason to number of draws."""


def shard_name(number: int) -> str:
    """Where a shard lies in its corpus."""
    return f"{FOLDER}/{number:05d}.parquet"


def encode_shard(plan: RenderPlan, number: int, items: Sequence[RenderedItem], rejected: Sequence[Rejected]) -> bytes:
    """The bytes of a shard; the same for the same arguments and the same pyarrow."""
    synth = synth_of(plan.synth)
    dictionary = synth.write(synth.init())
    rows = [(item, play) for item in items for play in range(len(plan.notes))]
    heard = [item.soundings[play] for item, play in rows]
    packed = {item.index: _packed(item.file, dictionary) for item in items}
    vectors = {item.index: synth.space.encode(item.preset) for item in items}
    columns: dict[str, Any] = {
        "index": pa.array([item.index for item, _ in rows], pa.int64()),
        "seed": pa.array([plan.seed] * len(rows), pa.int64()),
        "attempt": pa.array([item.attempt for item, _ in rows], pa.int16()),
        "play": pa.array([play for _, play in rows], pa.int16()),
    }
    for name in ("pitch", "velocity", "hold", "total"):
        columns[name] = pa.array([getattr(plan.notes[play], name) for _, play in rows], pa.float64())
    columns |= {
        "vector": _vectors([vectors[item.index] for item, _ in rows], synth.space.dim, np.float32),
        "routes": pa.array([[_route(route) for route in item.preset.routes] for item, _ in rows], pa.list_(_ROUTE)),
        "preset": pa.array([packed[item.index] for item, _ in rows], pa.binary()),
        "preset_id": pa.array([item.preset.id for item, _ in rows], pa.string()),
        "origin": pa.array([json.dumps(dict(item.preset.origin), sort_keys=True) for item, _ in rows], pa.string()),
    }
    for name in ("peak", "rms_dbfs", "duration"):
        columns[name] = pa.array([getattr(sounding, name) for sounding in heard], pa.float32())
    for place, name in enumerate(plan.embedders):
        found = [sounding.embeddings[place] for sounding in heard]
        columns[f"embedding {name}"] = _vectors(found, found[0].size if found else 1, np.float16)
    if plan.audio:
        columns["flac"] = pa.array([sounding.flac for sounding in heard], pa.binary())
        columns["flac_gain"] = pa.array([sounding.flac_gain for sounding in heard], pa.float32())
    facts = {
        "plan": plan.record(),
        "fingerprint": plan.fingerprint,
        "number": number,
        "rejected": [asdict(draw) for draw in rejected],
    }
    return _written(pa.table(columns), facts, dictionary)


class Shard:
    """A shard that is read: its facts at once, its rows when they are asked for.

    Every page of the file carries a checksum, so damage does not go unseen.
    """

    def __init__(self, place: Place, name: str, data: bytes | None = None) -> None:
        """Opens the file and reads its metadata.

        Args:
            place: where the corpus lies.
            name: of the shard.
            data: its bytes, where they are at hand.

        Raises:
            CorpusError: it is missing, damaged, or no shard.
        """
        self.name = name
        self._where = f"{place.address}/{name}"
        source = place.open(name) if data is None else io.BytesIO(data)
        try:
            self._file = pq.ParquetFile(source, page_checksum_verification=True)
            found = self._file.metadata.metadata or {}
            self.facts: Mapping[str, Any] = json.loads(found[_FACTS])
            self.dictionary = zstandard.decompress(base64.b85decode(found[_DICTIONARY]))
            self.plan = read_plan(self.facts["plan"], self._where)
            self.number = int(self.facts["number"])
            self.rejected = tuple(Rejected(**draw) for draw in self.facts["rejected"])
        except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, zstandard.ZstdError) as error:
            source.close()
            raise self._damaged(error) from error

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._file.metadata.num_rows

    def close(self) -> None:
        """Closes the file."""
        self._file.close(force=True)

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows as an Arrow table.

        Args:
            columns: only these.

        Raises:
            CorpusError: the file is damaged.
        """
        try:
            return self._file.read(columns=None if columns is None else list(columns))
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def matrix(self, column: str) -> NDArray[Any]:
        """A column of vectors (`vector`, `embedding NAME`), shape (rows, dim). Raises CorpusError."""
        if column not in self._file.schema_arrow.names:
            raise CorpusError(
                f"{self._where} has no column {column!r}; it has {', '.join(self._file.schema_arrow.names)}"
            )
        found = self.table([column]).column(column).combine_chunks()
        return found.flatten().to_numpy(zero_copy_only=False).reshape(self.rows, -1)

    def preset(self, row: int) -> Preset:
        """The preset of a row, equal to the one that was rendered. Raises CorpusError."""
        found = self._columns.slice(row, 1).to_pylist()[0]
        try:
            file = _unpacked(found["preset"], self.dictionary)
            preset = synth_of(self.plan.synth).read(file)
            return replace(preset, origin=json.loads(found["origin"]))
        except (zstandard.ZstdError, ValueError, MenuraError) as error:
            raise self._damaged(error) from error

    def note(self, row: int) -> Note:
        """How the preset of a row was played. Raises CorpusError."""
        found = self._columns.slice(row, 1).to_pylist()[0]
        return Note(**{name: found[name] for name in ("pitch", "velocity", "hold", "total")})

    def audio(self, row: int) -> Audio:
        """The sound of a row.

        Raises:
            CorpusError: the corpus keeps no sounds, or the file is damaged.
        """
        if not self.plan.audio:
            raise CorpusError(f"{self._where} holds no sounds; render with --audio, or render the row's preset")
        found = self.table(["flac", "flac_gain"]).slice(row, 1).to_pylist()[0]
        import soundfile

        samples, rate = soundfile.read(io.BytesIO(found["flac"]), dtype="float32", always_2d=True)
        return Audio(samples.T * np.float32(found["flac_gain"]), rate)

    @cached_property
    def _columns(self) -> pa.Table:
        return self.table(["preset", "origin", "pitch", "velocity", "hold", "total"])

    def _damaged(self, error: Exception) -> CorpusError:
        said = " ".join(str(error).split()) or type(error).__name__
        return CorpusError(f"{self._where} is damaged ({said}); delete it and run the same menura dataset render again")


def read_facts(place: Place, name: str, data: bytes | None = None) -> ShardFacts:
    """What the manifest says of a shard.

    Args:
        place: where it lies.
        name: of the shard.
        data: its bytes, where they are at hand.

    Raises:
        CorpusError: it is missing or damaged.
    """
    data = read(place, name) if data is None else data
    shard = Shard(place, name, data)
    rejected: dict[str, int] = {}
    for draw in shard.rejected:
        rejected[draw.why] = rejected.get(draw.why, 0) + 1
    rows, items = shard.rows, len(shard.plan.items(shard.number))
    shard.close()
    return ShardFacts(shard.number, name, hash_bytes(data), len(data), items, rows, dict(sorted(rejected.items())))


def _written(table: pa.Table, facts: Mapping[str, Any], dictionary: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    plain = [name for name in ("seed", "attempt", "play", "pitch", "velocity", "hold", "total") if table.num_rows]
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        use_dictionary=plain,  # pyright: ignore[reportArgumentType] names are taken too
        write_page_checksum=True,
        version="2.6",
    ) as writer:
        writer.write_table(table, row_group_size=max(table.num_rows, 1))
        # In the footer alone: pyarrow would store a schema's metadata twice.
        writer.add_key_value_metadata(
            {
                _FACTS.decode(): json.dumps(facts, sort_keys=True),
                _DICTIONARY.decode(): base64.b85encode(zstandard.compress(dictionary, _LEVEL)).decode(),
            }
        )
    return sink.getvalue().to_pybytes()


def _vectors(rows: Sequence[NDArray[Any]], dim: int, kind: type[np.floating[Any]]) -> pa.FixedSizeListArray:
    flat = np.concatenate(rows).astype(kind) if rows else np.empty(0, kind)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), dim)


def _route(route: Any) -> dict[str, Any]:
    return {field.name: getattr(route, field.name) for field in _ROUTE}


def _packed(file: bytes, dictionary: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=_prepared(dictionary)).compress(file)


def _unpacked(data: bytes, dictionary: bytes) -> bytes:
    return zstandard.ZstdDecompressor(dict_data=_prepared(dictionary)).decompress(data)


@lru_cache(maxsize=4)
def _prepared(dictionary: bytes) -> Any:
    made = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    made.precompute_compress(level=_LEVEL)
    return made
