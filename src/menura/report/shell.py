"""What each of our pages has around it: one HTML file that runs its own scripts alone and asks no network."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib import resources


def shell(title: str, body: str, *, styles: tuple[str, ...], scripts: tuple[str, ...], media: str = "data:") -> str:
    """A whole page.

    Args:
        title: plain text.
        body: HTML; the scripts come after it.
        styles: names of style sheets of this package, in order.
        scripts: names of its scripts, in order; nothing else can run.
        media: where sounds may come from, as the `media-src` of a content security policy.
    """
    style, script = ("".join(_asset(name) for name in names) for names in (styles, scripts))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; media-src {media}; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return resources.files("menura.report").joinpath(name).read_text(encoding="utf-8")
