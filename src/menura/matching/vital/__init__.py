"""What matching knows of Vital's patches: how to begin, vary and correct them. Meets the rest in `idiom`."""
