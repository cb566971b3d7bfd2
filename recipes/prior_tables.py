"""What the recipes of priors have in common: how a table is written, and their command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from menura.errors import MenuraError
from menura.storage import write_bytes

_DATASETS = Path(__file__).parents[1] / "src/menura/datasets"


def compact(value: object) -> str:
    """JSON in one line, whole zeros short."""
    return json.dumps(value, separators=(",", ":")).replace("0.0,", "0,").replace("0.0]", "0]")


def write_table(about: str, given: str, name: str, table_bytes: Callable[[Path], bytes]) -> None:
    """Parses the command line, makes the table, and writes it into the package, or elsewhere."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("given", type=Path, help=given)
    parser.add_argument("--out", type=Path, default=_DATASETS / name)
    arguments = parser.parse_args()
    if not arguments.given.exists():
        parser.error(f"{arguments.given} is not there; give {given}")
    try:
        content = table_bytes(arguments.given)
        write_bytes(arguments.out, content, force=True)
    except MenuraError as error:
        sys.exit(str(error))
    print(json.dumps({"written": arguments.out.name, "bytes": len(content)}))
