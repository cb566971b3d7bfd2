"""Matching: a sound in, ranked presets out. Owns Target, Pool, the stages and the Matcher; shows nothing.

The names that others use live in `target`, `budget`, `candidate`, `pool`, `stage`, `match` and `matcher`;
nothing is imported here, so that `import menura` stays light.
"""
