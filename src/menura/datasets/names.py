"""Names of files made from names of items. Knows no item."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9._+#@=,()-]+")
_LONGEST = 100


def file_name(key: str) -> str:
    """A name for a file, safe on every system and different for different keys.

    Letters, digits and a few signs stay; everything else becomes ``_``. A name that had to change ends in eight
    digits of its hash, so that no two keys, and on no file system that ignores case, share a file.

    Args:
        key: any text, e.g. the key of an item.
    """
    plain = _UNSAFE.sub("_", key).strip("._")[:_LONGEST]
    if plain == key and key == key.lower():
        return plain
    return f"{plain or 'item'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
