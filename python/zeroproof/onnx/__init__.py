"""Programs as ONNX models: the extra ``onnx``. ``Program.to_onnx`` makes one."""

try:
    import onnx as _onnx
except ImportError as error:
    raise ImportError(
        'Program.to_onnx needs the package onnx: pip install "zeroproof-autodiff[onnx]"'
    ) from error

from ._export import OPSET, model_of

__all__ = ["OPSET", "model_of"]

del _onnx
