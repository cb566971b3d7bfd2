"""An ONNX file as something that runs. Imports onnxruntime inside the function that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from menura.errors import EngineError, InputError


def onnx_session(path: Path, *, threads: int = 1) -> Any:
    """The network in a file.

    Args:
        path: of the file.
        threads: one, since whoever has many sounds runs many processes; 0 takes all cores, for large networks.

    Raises:
        InputError: it is missing or no ONNX file.
        EngineError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError(f"ONNX Runtime is not installed ({error}); pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    # What a broken file raises has no common class but Exception.
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"{path} is no ONNX file that ONNX Runtime opens ({error}); export it again") from error
