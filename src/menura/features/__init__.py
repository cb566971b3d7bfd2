"""From sound to numbers: spectra, distances, the pitch and the course of a note. Knows no presets."""
