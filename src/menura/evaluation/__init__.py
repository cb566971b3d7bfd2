"""Measuring menura: manifests of recordings, the benchmark, and whether answers play as instruments do."""
