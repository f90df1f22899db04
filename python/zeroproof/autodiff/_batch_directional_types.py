"""The types of what the directional methods of batched functions return, for type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Optional, Protocol, Union, overload

from .._native import TRScalar
from ._batch_types import Gradient, Reduction, Statuses
from ._parameters import ArgNum, ArgNums


class Jvp(Protocol):
    """The method ``jvp`` of a batched function."""

    @overload
    def __call__(
        self,
        primals: Sequence[Any],
        tangents: Any,
        *,
        argnums: Optional[ArgNums] = None,
        reduce: None = None,
        with_status: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        primals: Sequence[Any],
        tangents: Any,
        *,
        argnums: Optional[ArgNums] = None,
        reduce: None = None,
        with_status: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, Any, Any]: ...
    @overload
    def __call__(
        self,
        primals: Sequence[Any],
        tangents: Any,
        *,
        argnums: Optional[ArgNums] = None,
        reduce: Reduction,
        with_status: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Gradient]: ...
    @overload
    def __call__(
        self,
        primals: Sequence[Any],
        tangents: Any,
        *,
        argnums: Optional[ArgNums] = None,
        reduce: Reduction,
        with_status: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[TRScalar, Gradient, Statuses]: ...
    @overload
    def __call__(
        self,
        primals: Sequence[Any],
        tangents: Any,
        *,
        argnums: Optional[ArgNums] = None,
        reduce: Optional[str] = None,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]: ...


class Hessian(Protocol):
    """The method ``hessian`` of a batched function."""

    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
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
        reduce: Optional[str] = None,
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
        reduce: Optional[str] = None,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Union[Gradient, tuple[Gradient, Statuses]]: ...


class ValueAndJacobian(Protocol):
    """The method ``value_and_jacobian`` of a batched function."""

    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: Literal[False] = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, Gradient]: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: Literal[True],
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, Gradient, Statuses]: ...
    @overload
    def __call__(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Union[tuple[Any, Gradient], tuple[Any, Gradient, Statuses]]: ...


def jvp_of(method: Any) -> Jvp:
    """The method itself."""
    typed: Jvp = method
    return typed


def hessian_of(method: Any) -> Hessian:
    """The method itself."""
    typed: Hessian = method
    return typed


def value_and_jacobian_of(method: Any) -> ValueAndJacobian:
    """The method itself."""
    typed: ValueAndJacobian = method
    return typed
