r"""Writes the presets that an LV2 plug-in brings along as files that menura reads, to benchmark on them.

    python benchmarks/lv2_presets.py plugin:http://drobilla.net/plugins/mda/JX10 \
        /usr/lib/lv2/mda.lv2/JX10-presets.ttl --out presets

Reads presets whose ports are all in one block each, as generators of Turtle write them; it is no reader of all Turtle.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from menura.datasets.names import file_name
from menura.errors import PresetError
from menura.storage import write_bytes
from menura.synths.registry import synth_of

_LABEL = re.compile(r'rdfs:label\s+"([^"]*)"')
_PORT = re.compile(r'lv2:symbol\s+"(\w+)"\s*;\s*pset:value\s+([-+.\deE]+)')


def told(text: str) -> Iterator[tuple[str, Mapping[str, float]]]:
    """(name, port to value) of each preset."""
    for part in re.split(r"\ba\s+pset:Preset\b", text)[1:]:
        label = _LABEL.search(part)
        if label:
            yield label[1], {symbol: float(value) for symbol, value in _PORT.findall(part)}


def symbol_of(name: str) -> str:
    """The port of a control, as its name says."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def main() -> None:
    """Read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synth", help="the plug-in, as menura names it")
    parser.add_argument("presets", type=Path, help="its Turtle file of presets")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    synth = synth_of(arguments.synth)
    names = {symbol_of(parameter.name): parameter for parameter in synth.space.parameters}
    count = 0
    for label, ports in told(arguments.presets.read_text(encoding="utf-8")):
        values = {names[symbol].name: value for symbol, value in ports.items() if symbol in names}
        if len(values) < len(names):
            raise PresetError(f"{label}: only {len(values)} of {len(names)} controls are told; is it of this plug-in?")
        preset = synth.init().with_values(**values)
        write_bytes(arguments.out / f"{file_name(label)}{synth.suffix}", synth.write(preset), force=True)
        count += 1
    print(f"{count} presets in {arguments.out}")


if __name__ == "__main__":
    main()
