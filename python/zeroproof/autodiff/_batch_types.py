"""The types of what batched functions return, for type checkers.

How many things are returned, and of which type, follows from the arguments of a request. Gradients
by arguments that are numbers or arrays are arrays; those by structures have the structure of the
argument, which is beyond these types: they are ``Any``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Optional, Protocol, Union, overload

import numpy as np
import numpy.typing as npt

from .._native import TRScalar
from ..array import TRArray
from ..sample_mask import SampleMask
from ._parameters import ArgNum, ArgNums, Several

#: An argument that is one array.
Plain = Union[
    float,
    TRScalar,
    TRArray,
    "np.number[Any]",
    "npt.NDArray[Any]",
    Sequence[float],
    Sequence[Sequence[float]],
]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


#: An argument that is a structure. The overloads for it match no array, so that an array of unknown
#: dtype, such as ``np.array([1.0, 2.0])``, leaves no doubt which one is meant.
Structured = Union[Mapping[Any, Any], Sequence[Any], _Dataclass, None]
Gradient = npt.NDArray[np.float64]
Statuses = npt.NDArray[np.uint8]
Reduction = Literal["mean", "sum"]


class ValueAndGrad(Protocol):
    """The method ``value_and_grad`` of a batched function."""

    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, Gradient]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, tuple[Gradient, ...]]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, Gradient, SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, tuple[Gradient, ...], SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, Gradient, Statuses]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, tuple[Gradient, ...], tuple[Statuses, ...]]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, Gradient, Statuses, SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRArray, tuple[Gradient, ...], tuple[Statuses, ...], SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, Gradient]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, tuple[Gradient, ...]]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, Gradient, SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, tuple[Gradient, ...], SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, Gradient, Statuses]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, tuple[Gradient, ...], tuple[Statuses, ...]]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNum = 0,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, Gradient, Statuses, SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: Several,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[TRScalar, tuple[Gradient, ...], tuple[Statuses, ...], SampleMask]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRArray, Any]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRArray, Any, SampleMask]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRArray, Any, Any]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRArray, Any, Any, SampleMask]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Any]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Any, SampleMask]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Any, Any]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[True],
        with_mask: Literal[True],
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Any, Any, SampleMask]: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[tuple[TRArray, Any], Any]: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[tuple[TRScalar, Any], Any]: ...
    @overload
    def __call__(
        self,
        *args: Plain,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Plain,
    ) -> tuple[Any, ...]: ...
    @overload
    def __call__(
        self,
        first: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...
    @overload
    def __call__(
        self,
        first: Plain,
        second: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: None = None,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRArray, Any]: ...
    @overload
    def __call__(
        self,
        first: Plain,
        second: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Reduction,
        with_status: Literal[False] = False,
        with_mask: Literal[False] = False,
        has_aux: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Any]: ...
    @overload
    def __call__(
        self,
        first: Plain,
        second: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...
    @overload
    def __call__(
        self,
        first: Plain,
        second: Plain,
        third: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...
    @overload
    def __call__(
        self,
        first: Plain,
        second: Plain,
        third: Plain,
        fourth: Structured,
        /,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...
    @overload
    def __call__(
        self,
        *,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...


class Jacobian(Protocol):
    """The method ``jacobian`` of a batched function."""

    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Gradient: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Gradient, Statuses]: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Union[Gradient, tuple[Gradient, Statuses]]: ...


def value_and_grad_of(method: Any) -> ValueAndGrad:
    """The method itself."""
    typed: ValueAndGrad = method
    return typed


def jacobian_of(method: Any) -> Jacobian:
    """The method itself."""
    typed: Jacobian = method
    return typed
