"""Not there for everyone, or without types: whatever comes from it is Any, and is annotated where it enters."""

from typing import Any

def __getattr__(name: str) -> Any: ...
