"""The backward pass and its steps as functions."""

from __future__ import annotations

from typing import Optional

from .. import _native
from .._native import TRNode, TRScalar
from ..typing import Operand

__all__ = ["backward_pass", "compute_input_gradients", "topological_sort"]


def backward_pass(root: TRNode, grad_output: Optional[Operand] = None) -> None:
    """Differentiates ``root`` in the current gradient mode; the same as ``root.backward()``.

    Args:
        root: the node to differentiate.
        grad_output: the adjoint of the root, by default 1.

    Raises:
        NotImplementedError: as ``root.backward()``, where a tape is open or a function is being
            differentiated.
        RuntimeError: if the root depends on no parameter.

    Examples:
        >>> from zeroproof.autodiff import TRNode, backward_pass
        >>> x = TRNode.parameter(3.0)
        >>> backward_pass(x * x)
        >>> x.gradient
        TRScalar(6.0)
    """
    root.backward(grad_output)


def compute_input_gradients(node: TRNode, grad_output: Operand) -> list[TRScalar]:
    """The contributions of one node to its inputs, by the rules of a backward pass.

    Args:
        node: a node that an operation made; a leaf has no inputs.
        grad_output: the adjoint of the node.

    Returns:
        One REAL value per input, in operand order; 0 where the contribution is masked or dropped.
        Nothing is recorded or counted.

    Examples:
        >>> from zeroproof.autodiff import TRNode, compute_input_gradients
        >>> x = TRNode.parameter(4.0)
        >>> compute_input_gradients(x / 2.0, 1.0)
        [TRScalar(0.5), TRScalar(-1.0)]
    """
    return [gradient for gradient, _ in _native.input_gradients(node, grad_output)]


def topological_sort(root: TRNode) -> list[TRNode]:
    """The nodes that gradients flow through below ``root``, root first, inputs after their users.

    This is the order of a backward pass: the reverse of recording.

    Examples:
        >>> from zeroproof.autodiff import TRNode, topological_sort
        >>> x = TRNode.parameter(3.0)
        >>> [node.op.name for node in topological_sort(x * x + 1.0)]
        ['ADD', 'MUL', 'PARAMETER']
    """
    return _native.topological_order(root)
