"""The DX7: voices and banks, algorithms and controls, and hexter, the engine that plays them. Begins in `synth`."""
