"""Networks of our own, in torch: what is trained. What a musician runs is their ONNX, without torch."""
