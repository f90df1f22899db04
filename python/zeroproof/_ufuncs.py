"""What NumPy's universal functions are of nodes, TR scalars and tracers.

The engine looks plain calls up in a table, which is registered here. What else NumPy can ask of
such a function is answered by :func:`_otherwise`: keyword arguments, methods such as
``np.add.outer``, functions that are not in the table.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import numpy as np

from . import _native
from ._native import TracedCondition
from ._ufunc_table import ADVICE, FUNCTIONS, METHODS, NUMBERS, OPERATORS, SPECIAL, boxed, stored

__all__: list[str] = []

_OURS = (*NUMBERS, TracedCondition)


def _otherwise(ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """``__array_ufunc__`` for all that the engine does not answer by the table.

    Raises:
        TypeError: for what has no meaning here; it says what to use.
    """
    outputs = options.pop("out", ())
    if any(map(_is_foreign, (*inputs, *outputs))):
        return NotImplemented
    name = ufunc.__name__
    if any(isinstance(output, _OURS) for output in outputs):
        raise TypeError(f"np.{name} cannot write its result into a node or TR scalar")
    if method == "reduce":
        result = _reduced(ufunc, *inputs, **options)
    elif method == "at":
        return _at(ufunc, *inputs)
    elif method in ("__call__", "outer"):
        # One operand of an outer product is a single number: the other gives the shape.
        _refuse_options(name, **options)
        result = _called(ufunc, inputs)
    else:
        raise TypeError(f"np.{name}.{method} takes arrays: of nodes, an array of dtype=object")
    return stored(name, result, outputs) if outputs else result


def _is_foreign(operand: Any) -> bool:
    """Whether the type of an operand says itself what NumPy's functions are."""
    theirs = getattr(type(operand), "__array_ufunc__", None)
    is_known = isinstance(operand, _OURS) or theirs is np.ndarray.__array_ufunc__
    return not (theirs is None or is_known)


def _refuse_options(name: str, where: Any = True, dtype: Any = None, **_: Any) -> None:
    if where is not True:
        raise TypeError(f"np.{name} of nodes takes no where=: choose with tr_where")
    if dtype is not None and np.dtype(dtype) not in (np.dtype(object), np.dtype(bool)):
        raise TypeError(f"np.{name} of nodes gives nodes, not {dtype!r}: leave dtype= out")


def _called(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """The result of a call without options, or of one that the table does not answer."""
    name = ufunc.__name__
    if ufunc in _RULES:
        return ufunc(*inputs)
    if ufunc.types and all(set(types) <= set("O->") for types in ufunc.types):
        return ufunc(*map(boxed, inputs))  # made by np.frompyfunc
    special = sys.modules.get("scipy.special")
    if name in SPECIAL and getattr(special, name, None) is ufunc:
        return SPECIAL[name](*inputs)
    advice = ADVICE.get(
        name,
        "compute with operators and tr_ functions such as tr_sin, or leave the graph by x.value",
    )
    raise TypeError(f"the function {name} of NumPy has no meaning for nodes here: {advice}")


#: The functions that a single number is a result of, and what such a number is.
_REDUCED = {
    **dict.fromkeys(("add", "multiply", "maximum", "minimum", "fmax", "fmin"), NUMBERS),
    "logical_and": (TracedCondition,),
    "logical_or": (TracedCondition,),
}


def _reduced(
    ufunc: np.ufunc, operand: Any, axis: Any = 0, keepdims: bool = False, **options: Any
) -> Any:
    """The sum, product and the like of a single number: that number."""
    name = ufunc.__name__
    initial = options.pop("initial", np._NoValue)
    _refuse_options(name, **options)
    if not isinstance(operand, _REDUCED.get(name, ())):
        raise TypeError(
            f"np.{name}.reduce takes no {type(operand).__name__}: reduce arrays and lists by "
            "tr_sum, tr_prod, tr_max and their like"
        )
    if axis not in (None, (), 0, -1):
        raise ValueError(f"axis {axis} is out of bounds for a single number")
    return operand if initial is np._NoValue else ufunc(initial, operand)


def _at(ufunc: np.ufunc, array: Any, indices: Any, *operand: Any) -> None:
    """``ufunc.at`` of an array of objects, whose operators give the results."""
    name = ufunc.__name__
    if not (isinstance(array, np.ndarray) and array.dtype == object and ufunc in _ARITHMETIC):
        raise TypeError(
            f"np.{name}.at with nodes takes an array of dtype=object, and add, subtract, multiply, "
            "divide, power or remainder"
        )
    ufunc.at(array, indices, *map(boxed, operand))


try:
    _umath: Any = import_module("numpy._core.umath")
except ModuleNotFoundError:  # NumPy 1
    _umath = import_module("numpy.core.umath")

_RULES = {getattr(_umath, name): function for name, function in FUNCTIONS.items()}
_ARITHMETIC = {np.add, np.subtract, np.multiply, np.divide, np.remainder, np.power}

_native.set_ufuncs(
    _RULES,
    {getattr(_umath, name): operator for name, operator in OPERATORS.items()},
    (np.False_, np.True_),
    _otherwise,
)
_native.set_methods(METHODS)
