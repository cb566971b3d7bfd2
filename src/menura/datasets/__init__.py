"""Sounds and presets to work on: sets, where they come from, and what is done to them. Must not know models."""
