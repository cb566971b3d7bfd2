"""LV2 presets as hosts list them: a bundle, a folder of two Turtle files.

Source: lv2plug.in/ns/ext/presets. The host's own text says which port has which value; this puts a name and an address
to it. Loads no plug-in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from menura.errors import PresetError

_PREFIXES = """@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
_HEAD = re.compile(r"^\s*<[^>]*>\s+a pset:Preset ;", re.MULTILINE)


def preset_bundle(plugin: str, name: str, mark: str, state: bytes) -> Mapping[str, bytes]:
    """The files of a preset bundle, by name; the folder that holds them has to end in ``.lv2``.

    Args:
        plugin: the plug-in's URI.
        name: shown by the host.
        mark: makes the preset's address unlike others; letters and digits.
        state: the preset as the plug-in's host writes it.

    Raises:
        PresetError: the state is not of the shape that hosts write.
    """
    text = state.decode("utf-8", "replace")
    found = _HEAD.search(text)
    if found is None:
        raise PresetError("the LV2 state is of an unknown shape: it names no pset:Preset; please report it")
    subject = f"<urn:menura:preset:{mark}>"
    label = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    preset = f'{_PREFIXES}\n{subject}\n\ta pset:Preset ;\n\trdfs:label "{label}" ;{text[found.end() :]}'
    manifest = (
        f"{_PREFIXES}\n{subject}\n\ta pset:Preset ;\n\tlv2:appliesTo <{plugin}> ;\n\trdfs:seeAlso <preset.ttl> .\n"
    )
    return {"manifest.ttl": manifest.encode(), "preset.ttl": preset.encode()}
