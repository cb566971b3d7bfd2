"""Writes `src/menura/synths/vital/controls.json`: what the Vital engine says of its own controls.

    python recipes/vital_controls.py

Run it again when the engine's version changes and read the difference before committing it: the
preset format, the parameter space and every fingerprint follow from this file. The five controls of
a modulation slot are written once, under `modulation_N_`, since the 64 slots are alike (checked here).
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import vita

_SCALES = {"SquareRoot": "square_root"}
_SLOT = re.compile(r"^modulation_\d+_")


def main() -> None:
    """Writes the table; raises ValueError if two slots differ."""
    engine = vita.Synth()
    rows: dict[str, dict[str, Any]] = {}
    for full in engine.get_controls():
        name = _SLOT.sub("modulation_N_", full)
        found = engine.get_control_details(full)
        scale = str(found.scale).rpartition(".")[2]
        row = {
            "low": found.min,
            "high": found.max,
            "default": found.default_value,
            "scale": _SCALES.get(scale, scale.lower()),
            "choices": list(found.options),
            "units": found.display_units.strip(),
            "label": found.display_name,
            "multiply": found.display_multiply,
            "offset": found.post_offset,
        }
        if name != full:
            row["label"] = re.sub(r"^Modulation \d+ ", "Modulation ", row["label"])
            if rows.setdefault(name, row) != row:
                raise ValueError(f"{name} is not the same in every slot: {rows[name]} and {row}")
        rows[name] = row
    table = {
        "engine": f"vita {importlib.metadata.version('vita')}",
        "slots": sum(1 for name in engine.get_controls() if re.fullmatch(r"modulation_\d+_amount", name)),
        "sources": sorted(vita.get_modulation_sources()),
        "destinations": sorted(
            {re.sub(r"^modulation_\d+_", "modulation_N_", name) for name in vita.get_modulation_destinations()}
        ),
        "controls": dict(sorted(rows.items())),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in table.items() if key != "controls"]
    controls = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in table["controls"].items())
    text = "{\n" + ",\n".join(lines) + ',\n"controls": {\n' + controls + "\n}}\n"
    path = Path(__file__).parents[1] / "src/menura/synths/vital/controls.json"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
