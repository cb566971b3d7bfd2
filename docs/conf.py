"""How Sphinx builds the documentation: `make docs`. Needs no network and none of the optional extras."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

EXTRAS = (
    "dawdreamer", "fsspec", "h5py", "matplotlib", "onnxruntime", "pedalboard", "ray", "surgepy", "torch",
    "transformers",
)  # fmt: skip


class WithoutExtras(MetaPathFinder):
    """The reference is built as on a machine without extras: whatever it imports, everyone can import."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuses what only some have."""
        if fullname.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"the reference must not need {fullname}", name=fullname)


sys.meta_path.insert(0, WithoutExtras())

project = "menura"
author = "The menura maintainers"
release = version = version_of("menura")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["decisions/000-template.md"]

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# What corpora are made of; they are told of without it.
autodoc_mock_imports = ["pyarrow", "zstandard"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
# `name` in a docstring is a link where the reference has that name, else plain code.
default_role = "py:obj"

# A name of ours that leads nowhere is an error; those of NumPy and Python would need the network to be looked up.
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*"), ("py:.*", r"(?!menura\.).*")]
# Seen in signatures, and no part of what others use.
nitpick_ignore = [
    ("py:class", "menura.datasets.places.Place"),
    ("py:class", "menura.library.index.VectorIndex"),
    ("py:class", "menura.library.segment.Row"),
    ("py:class", "menura.library.segment.Segment"),
    ("py:class", "menura.registry.T"),
    ("py:class", "menura.synths.plugins.plugin.Plugin"),
]

html_theme = "furo"
html_title = "menura"
html_static_path = ["_static"]
html_css_files = ["menura.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def show_indented_as_code(
    _app: Sphinx, _what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Docstrings show code and drawings indented, as one reads them in the source; reStructuredText wants '::'."""
    found: list[str] = []
    before = ""
    for number, line in enumerate(lines):
        indented = line.startswith("    ")
        begins = indented and number and not lines[number - 1] and before and not before.startswith(" ")
        if begins and not before.endswith("::"):
            found += ["::", ""]
        found.append(line)
        before = line or before
    lines[:] = found


def setup(app: Sphinx) -> None:
    """Comes before napoleon reads the docstrings."""
    app.connect("autodoc-process-docstring", show_indented_as_code, priority=400)
