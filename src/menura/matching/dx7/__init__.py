"""What matching knows of DX7 voices: how to begin, vary and correct them. Meets the rest in `idiom`."""
