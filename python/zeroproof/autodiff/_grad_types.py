"""The types of what gradient functions return, for type checkers.

By the first argument, which is differentiated by default, the type of the gradient is known if it
is a number, a node or an array; that of a structure has the structure of the argument, and is
``Any``. A function that reads nodes other than its arguments gives nodes, which these types do not
know.
"""

from __future__ import annotations

from typing import Any, Protocol, Union, overload

import numpy as np
import numpy.typing as npt

from .._enums import GradientStatus
from .._native import TRNode, TRScalar
from ..array import TRArray
from ..typing import Value

Numbers = Union[TRArray, "npt.NDArray[Union[np.floating[Any], np.integer[Any]]]"]
Objects = npt.NDArray[np.object_]
Doubles = npt.NDArray[np.float64]
Statuses = npt.NDArray[np.uint8]
#: The value for arguments of any kind.
AnyValue = Union[TRScalar, TRArray, TRNode]


class Grad(Protocol):
    """The gradient by the first argument."""

    @overload
    def __call__(self, first: Union[Value, TRNode], /, *args: Any, **kwargs: Any) -> TRNode: ...
    @overload
    def __call__(self, first: Numbers, /, *args: Any, **kwargs: Any) -> Doubles: ...
    @overload
    def __call__(self, first: Objects, /, *args: Any, **kwargs: Any) -> Objects: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class GradAndStatus(Protocol):
    """The gradient by the first argument, and its status."""

    @overload
    def __call__(
        self, first: Union[Value, TRNode], /, *args: Any, **kwargs: Any
    ) -> tuple[TRNode, GradientStatus]: ...
    @overload
    def __call__(
        self, first: Numbers, /, *args: Any, **kwargs: Any
    ) -> tuple[Doubles, Statuses]: ...
    @overload
    def __call__(
        self, first: Objects, /, *args: Any, **kwargs: Any
    ) -> tuple[Objects, Statuses]: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]: ...


class ValueAndGrad(Protocol):
    """The value, and the gradient by the first argument."""

    @overload
    def __call__(self, first: TRNode, /, *args: Any, **kwargs: Any) -> tuple[TRNode, TRNode]: ...
    @overload
    def __call__(self, first: Value, /, *args: Any, **kwargs: Any) -> tuple[TRScalar, TRNode]: ...
    @overload
    def __call__(self, first: Numbers, /, *args: Any, **kwargs: Any) -> tuple[TRArray, Doubles]: ...
    @overload
    def __call__(
        self, first: Objects, /, *args: Any, **kwargs: Any
    ) -> tuple[AnyValue, Objects]: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> tuple[AnyValue, Any]: ...


class ValueGradAndStatus(Protocol):
    """The value, the gradient by the first argument, and its status."""

    @overload
    def __call__(
        self, first: TRNode, /, *args: Any, **kwargs: Any
    ) -> tuple[TRNode, TRNode, GradientStatus]: ...
    @overload
    def __call__(
        self, first: Value, /, *args: Any, **kwargs: Any
    ) -> tuple[TRScalar, TRNode, GradientStatus]: ...
    @overload
    def __call__(
        self, first: Numbers, /, *args: Any, **kwargs: Any
    ) -> tuple[TRArray, Doubles, Statuses]: ...
    @overload
    def __call__(
        self, first: Objects, /, *args: Any, **kwargs: Any
    ) -> tuple[AnyValue, Objects, Statuses]: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> tuple[AnyValue, Any, Any]: ...
