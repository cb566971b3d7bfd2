"""Rendered patches that can be searched by sound."""
