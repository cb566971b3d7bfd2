"""The exceptions of menura, one tree.

    MenuraError                 anything menura says went wrong
    ├── InputError              what was given cannot be used          (exit code 2)
    │   ├── AudioError          a sound that cannot be read or is empty
    │   ├── NoteError           a note that cannot be understood
    │   ├── PresetError         a preset that is broken or would crash its engine
    │   ├── SpaceError          a vector, name or group that does not fit a ParameterSpace
    │   ├── ManifestError       a manifest that cannot be followed
    │   ├── CorpusError         a rendered corpus that is damaged, or made of something else
    │   ├── CheckpointError     weights that are damaged, or made for something else
    │   ├── UnknownNameError    a name that no registry knows
    │   └── OutputError         a place that cannot be written, or is already taken
    └── WorkError               the input was fine, the work failed    (exit code 1)
        ├── EngineError         an engine is missing or refused to start
        └── RenderError         one render crashed, hung or gave no finite sound

A message says what happened, what was seen and what to do.
"""


class MenuraError(Exception):
    """Anything menura says went wrong; `exit_code` is what a command ends with."""

    exit_code = 1


class InputError(MenuraError):
    """What was given cannot be used as it is."""

    exit_code = 2


class AudioError(InputError):
    """A sound cannot be read, or holds nothing to work on."""


class NoteError(InputError):
    """A note cannot be understood or lies outside what a keyboard plays."""


class PresetError(InputError):
    """A preset is broken, of an unknown kind, or would crash its engine."""


class SpaceError(InputError):
    """A vector, name or group does not fit a ParameterSpace."""


class ManifestError(InputError):
    """A manifest cannot be followed."""


class CorpusError(InputError):
    """A rendered corpus is damaged, or was made of another space, engine or recipe."""


class CheckpointError(InputError):
    """Weights are damaged, or were made for another space or embedder."""


class UnknownNameError(InputError):
    """A name that a registry does not know."""


class WorkError(MenuraError):
    """The input was fine; the work itself failed."""


class EngineError(WorkError):
    """An engine is missing or refused to start."""


class RenderError(WorkError):
    """One render crashed, hung, or gave something that is not a finite sound."""


class OutputError(InputError):
    """A result could not be written where it was asked for."""
