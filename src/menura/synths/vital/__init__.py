"""Vital: its preset files, controls, parts and stock tables, and the engine that plays them. Begins in `synth`."""
