"""The version of menura, in one place that every layer and the build may read."""

__version__ = "0.1.0"
