"""The nodes of an ONNX graph as arrays of the replay: each operation appends one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ..replay._logarithms import series

__all__ = ["Graph", "Numbers", "Value"]

_LOGICAL = {
    *("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "And", "Or", "Not"),
    *("IsNaN", "IsInf"),
}
#: atan t/t in t², enough for |t| ≤ tan(π/16).
_ATAN = [(-1) ** k / (2 * k + 1) for k in range(13)]

Operand = Union["Value", float, bool]


class Graph:
    """Nodes and constants; equal ones are there once."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._known: dict[Any, str] = {}

    def constant(self, array: Any) -> Value:
        """A constant."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"constant_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._known[key]))
        return Value(self, self._known[key], array.dtype == bool)

    def node(self, operator: str, *operands: Value, **attributes: Any) -> Value:
        """The result of an operator."""
        names = [operand.name for operand in operands]
        key = (operator, *names, *((name, str(value)) for name, value in attributes.items()))
        if key not in self._known:
            self._known[key] = f"node_{len(self.nodes)}"
            self.nodes.append(helper.make_node(operator, names, [self._known[key]], **attributes))
        return Value(self, self._known[key], operator in _LOGICAL)


class Value:
    """A result in a graph: float64 or booleans."""

    def __init__(self, graph: Graph, name: str, is_logical: bool = False) -> None:
        self.graph, self.name, self.is_logical = graph, name, is_logical

    def _with(self, operator: str, other: Operand, swapped: bool = False) -> Value:
        pair = (self, self._value(other))
        return self.graph.node(operator, *(pair[::-1] if swapped else pair))

    def _value(self, other: Operand) -> Value:
        if isinstance(other, Value):
            return other
        return self.graph.constant(np.bool_(other) if isinstance(other, bool) else float(other))

    def __add__(self, other: Operand) -> Value:
        return self._with("Add", other)

    def __radd__(self, other: Operand) -> Value:
        return self._with("Add", other, True)

    def __sub__(self, other: Operand) -> Value:
        return self._with("Sub", other)

    def __rsub__(self, other: Operand) -> Value:
        return self._with("Sub", other, True)

    def __mul__(self, other: Operand) -> Value:
        return self._with("Mul", other)

    def __rmul__(self, other: Operand) -> Value:
        return self._with("Mul", other, True)

    def __truediv__(self, other: Operand) -> Value:
        return self._with("Div", other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self._with("Div", other, True)

    def __neg__(self) -> Value:
        return self.graph.node("Neg", self)

    def __lt__(self, other: Operand) -> Value:
        return self._with("Less", other)

    def __le__(self, other: Operand) -> Value:
        return self._with("LessOrEqual", other)

    def __gt__(self, other: Operand) -> Value:
        return self._with("Greater", other)

    def __ge__(self, other: Operand) -> Value:
        return self._with("GreaterOrEqual", other)

    def __eq__(self, other: object) -> Value:  # type: ignore[override]
        assert isinstance(other, (Value, float, int))
        return self._with("Equal", other)

    def __ne__(self, other: object) -> Value:  # type: ignore[override]
        return ~(self == other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Value) -> Value:
        return self._with("And", other)

    def __or__(self, other: Value) -> Value:
        return self._with("Or", other)

    def __invert__(self) -> Value:
        return self.graph.node("Not", self)


def _unary(operator: str) -> Callable[[Numbers, Value], Value]:
    def function(self: Numbers, x: Value) -> Value:
        return self.graph.node(operator, x)

    return function


class Numbers:
    """The array library of the replay that a forward pass needs, for float64.

    What ONNX has no operator for, or most runtimes none for float64, is made of others.
    """

    abs = _unary("Abs")
    sqrt = _unary("Sqrt")
    floor = _unary("Floor")
    ceil = _unary("Ceil")
    round = _unary("Round")
    exp = _unary("Exp")
    log = _unary("Log")
    sin = _unary("Sin")
    cos = _unary("Cos")
    tanh = _unary("Tanh")
    isnan = _unary("IsNaN")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def _value(self, x: Operand) -> Value:
        return x if isinstance(x, Value) else self.graph.constant(float(x))

    def where(self, condition: Value, a: Operand, b: Operand) -> Value:
        """The elements of one or the other; runtimes do not select booleans."""
        if isinstance(a, Value) and isinstance(b, Value) and a.is_logical and b.is_logical:
            return (condition & a) | (~condition & b)
        return self.graph.node("Where", condition, self._value(a), self._value(b))

    def isfinite(self, x: Value) -> Value:
        """Neither infinite nor NaN."""
        return ~(self.graph.node("IsInf", x) | self.isnan(x))

    def signbit(self, x: Value) -> Value:
        """The sign, of zeros too; of a NaN none."""
        return (x < 0.0) | ((x == 0.0) & (1.0 / x < 0.0))

    def expm1(self, x: Value) -> Value:
        """eˣ − 1; what rounding takes from eˣ is made good by its logarithm."""
        power = self.exp(x)
        rest = power - 1.0
        is_plain = (power == 1.0) | (rest == -1.0) | ~self.isfinite(power)
        ratio = x / self.log(self.where(is_plain, 2.0, power))
        plain = self.where(power == 1.0, x, rest)
        return self.where(is_plain, plain, rest * self.where(is_plain, 1.0, ratio))

    def log1p(self, x: Value) -> Value:
        """ln(1 + x), in the same way."""
        u = 1.0 + x
        is_plain = (u == 1.0) | (self.abs(x) > 1e9) | ~(x > -1.0)
        ratio = x / self.where(is_plain, 1.0, u - 1.0)
        value = self.log(u) * self.where(is_plain, 1.0, ratio)
        return self.where(u == 1.0, x, value)

    def log2(self, x: Value) -> Value:
        """log₂ x."""
        return self.log(x) / math.log(2.0)

    def log10(self, x: Value) -> Value:
        """log₁₀ x."""
        return self.log(x) / math.log(10.0)

    def tan(self, x: Value) -> Value:
        """The tangent."""
        return self.sin(x) / self.cos(x)

    def atan(self, x: Value) -> Value:
        """The arc tangent: that of a quarter of the angle by a series."""
        size = self.abs(x)
        is_far, is_tiny = size > 1.0, size < 2.0**-30
        t = self.where(is_far, 1.0 / x, x)
        for _ in range(2):
            t = t / (1.0 + self.sqrt(1.0 + t * t))
        angle = 4.0 * (t * series(_ATAN, t * t))
        beyond = self.where(x < 0.0, -0.5 * math.pi, 0.5 * math.pi) - angle
        return self.where(is_tiny, x, self.where(is_far, beyond, angle))

    def asin(self, x: Value) -> Value:
        """The arc sine."""
        return self.atan(x / self.sqrt((1.0 - x) * (1.0 + x)))

    def acos(self, x: Value) -> Value:
        """The arc cosine."""
        return self.atan2(self.sqrt((1.0 - x) * (1.0 + x)), x)

    def atan2(self, y: Value, x: Value) -> Value:
        """The angle of the point (x, y), which is neither 0 nor infinite twice."""
        half_turn = self.where(self.signbit(y), -math.pi, math.pi)
        angle = self.atan(y / x)
        angle = self.where(self.signbit(x), half_turn + angle, angle)
        return self.where(x == 0.0, 0.5 * half_turn, angle)

    def asinh(self, x: Value) -> Value:
        """The inverse of sinh."""
        size = self.abs(x)
        is_large = size > 1e9
        near = self.where(is_large, 1.0, size)
        square = near * near
        small = self.log1p(near + square / (1.0 + self.sqrt(1.0 + square)))
        value = self.where(is_large, self.log(size) + math.log(2.0), small)
        return self.where(self.signbit(x), -value, value)

    def acosh(self, x: Value) -> Value:
        """The inverse of cosh."""
        is_large = x > 1e9
        rest = self.where(is_large, 1.0, x) - 1.0
        small = self.log1p(rest + self.sqrt(rest * (rest + 2.0)))
        return self.where(is_large, self.log(x) + math.log(2.0), small)

    def pow(self, x: Value, y: Value) -> Value:
        """``x`` to the power of ``y``; runtimes may lose the sign of a zero in it."""
        half = 0.5 * y
        is_odd = (self.floor(y) == y) & (self.floor(half) != half)
        size = self.graph.node("Pow", self.abs(x), y)
        return self.where(self.signbit(x) & is_odd, -size, size)

    def fmod(self, x: Value, y: Value) -> Value:
        """The rest of the division, with the sign of ``x``."""
        return self.graph.node("Mod", x, self._value(y), fmod=1)

    def divide(self, a: Value, b: Value) -> Value:
        """The quotient."""
        return a / b

    def exponent(self, x: Value) -> Value:
        """log₂|x| rounded down; next to a power of 2 perhaps off by one, which nothing minds."""
        return self.floor(self.log2(self.abs(x)))

    def power_of_two(self, n: Operand) -> Value:
        """2ⁿ."""
        return self.graph.node("Pow", self._value(2.0), self._value(n))

    def constant(self, x: Value) -> Value:
        """The same numbers."""
        return x

    def rounded(self, x: Value) -> Value:
        """The same numbers, which each operator rounds."""
        return x

    def zeros_like(self, x: Value) -> Value:
        """A zero, which has the shape of anything."""
        return self._value(0.0)

    def full(self, like: Any, value: float) -> Value:
        """A number."""
        return self._value(value)

    def stacked(self, values: Sequence[Value], samples: Value) -> Value:
        """Values side by side, along a new last axis, behind the axes of ``samples``."""
        axis = self.graph.constant(np.array([-1]))
        columns = [
            self.graph.node("Unsqueeze", self.graph.node("Expand", value, samples), axis)
            for value in values
        ]
        return self.graph.node("Concat", *columns, axis=-1)
