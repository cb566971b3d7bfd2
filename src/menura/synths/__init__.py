"""Synthesizers: what they promise (`base`), the engines behind names, and many renders at once (`pool`)."""
