"""Functions on nodes, replayed over many samples at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from itertools import count
from operator import attrgetter
from typing import Any, Optional, SupportsIndex, Union

from .._arrays import Array
from .._native import TracedProgram
from ._batch_arguments import ArgNums, InAxes, Parameters, Shape, argument_numbers, is_ready
from ._batch_requests import GradientRequest, JacobianRequest, ValuesRequest, check_reduction
from ._batch_trace import Traced, trace

__all__ = ["BatchedFunction", "tr_vmap"]

#: An argument by place or name, or none.
Coordinate = Union[SupportsIndex, str, None]

#: The most programs that a batched function keeps, one for each combination of argument shapes.
PROGRAMS = 64


def tr_vmap(
    function: Callable[..., Any],
    in_axes: InAxes = 0,
    *,
    coordinate: Coordinate = None,
) -> BatchedFunction:
    """A function of nodes as a function of batches.

    The function is called once for each combination of argument shapes, on tracers in place of
    nodes, and the recorded operations are replayed on every sample; the results are bit-identical
    to calling it on each. Its control flow must not depend on values: select with ``tr_where``,
    ``tr_minimum`` or ``tr_maximum``. Other values that it reads, such as globals, are read when it
    is traced; pass values that change as arguments, or call ``tr_vmap`` again.

    Args:
        function: takes nodes, or object arrays of nodes, and returns a node, an object array of
            nodes, or a tuple or list of these. TR scalars, and nodes that need no gradients, are
            constants.
        in_axes: for each argument 0, if its first axis runs over the samples, or None, if all
            samples share it; or one of these for all arguments.
        coordinate: the argument, by place or name, whose value exploration regions refer to.

    Raises:
        TypeError: if the function is not callable, or for ``in_axes`` of another type.
        ValueError: for ``in_axes`` other than 0 and None, or without any 0.
    """
    return BatchedFunction(function, in_axes, coordinate)


class _Programs:
    """The traced function and its plans for one combination of argument shapes."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.requests: dict[Any, Any] = {}
        self.last_use = 0


class BatchedFunction:
    """A function replayed over batches, the result of :func:`tr_vmap`.

    Calls take positional arguments: numbers, TR scalars, ``TRArray`` and anything that NumPy
    converts to an array of real numbers. C-contiguous arrays of float64 are read in place, others
    are converted. An argument that all samples share has the shape that the function receives;
    others have one more axis in front. Arrays must not be written to while a call runs in another
    thread.

    Gradients are in the current gradient mode at the call, and the statistics of the calling thread
    or async task count every sample. Calls run on several threads (``zeroproof.set_num_threads``)
    without holding the GIL, and may be made from several threads at once. An object can be pickled
    if its function can.

    Raises:
        TypeError: for arguments that are not real numbers, and for a function whose control flow
            depends on a value or that returns no node.
        ValueError: if the numbers of samples of the arguments differ.
    """

    __wrapped__: Callable[..., Any]

    def __init__(
        self,
        function: Callable[..., Any],
        in_axes: InAxes = 0,
        coordinate: Coordinate = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"tr_vmap takes a function, not {type(function).__name__}")
        update_wrapper(self, function, updated=())  # its attributes could hide the methods
        self._settings = (function, in_axes, coordinate)
        self._parameters = Parameters(function, in_axes)
        self._programs: dict[tuple[Shape, ...], _Programs] = {}
        self._uses = count()

    def __call__(self, *args: Any, out: Any = None, **keywords: Any) -> Any:
        """The values of the function.

        Args:
            *args: the arguments of the function.
            out: the arrays to write to, in the structure of the result: C-contiguous float64 arrays
                of the right shape; None, also for single items, for new ones.
            **keywords: not supported; bind keyword arguments with ``functools.partial``.

        Returns:
            A TRArray with an element for each sample; for an object array of nodes one more axis in
            front; for a tuple or list of results a tuple or list.
        """
        _refuse(keywords)
        inputs, samples, programs = self._prepare(args)
        request = programs.requests.get("values")
        if request is None:
            request = programs.requests["values"] = ValuesRequest(programs.traced)
        return request.run(inputs, samples, out)

    def value_and_grad(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        out: Any = None,
        coordinate: Coordinate = None,
        **keywords: Any,
    ) -> Any:
        """The values of the function and their gradients.

        Args:
            *args: the arguments of the function, which must return one node.
            argnums: the place of the argument to differentiate with respect to, or several as a
                sequence or one-dimensional array; negative numbers count from the end.
            reduce: None for each sample's gradients; ``"sum"`` or ``"mean"`` for those of the sum
                or mean of the values over the samples whose value is REAL.
            with_status: whether to return the gradients' ``GradientStatus`` flags as well.
            with_mask: whether to return a ``SampleMask`` as well, with the samples that were left
                out and the reasons.
            out: the arrays to write to, ``(values, gradients)``, or with ``reduce`` the gradients
                alone: C-contiguous float64 arrays of the right shape; None, also for
                single items, for new ones.
            coordinate: the argument, by place or name, whose value exploration regions refer to;
                the default is that of ``tr_vmap``.
            **keywords: not supported, as in a call.

        Returns:
            ``(values, gradients)``, then statuses and the mask if requested. Gradients are
            float64 arrays, a tuple of them for several ``argnums``, with one row for each sample.
            With ``reduce``, ``values`` is one TRScalar, a shared argument's gradient has its shape,
            and that of an argument with one value for each sample keeps its rows. Statuses are
            uint8 arrays of the same shapes, with ``reduce`` the union over the samples. An argument
            named twice has the same array twice.

        Raises:
            TypeError: if the function returns several nodes, which ``jacobian`` differentiates, and
                for ``argnums``, ``reduce`` or ``coordinate`` of another type.
            ValueError: if ``argnums`` or ``coordinate`` names no argument, for another ``reduce``,
                or if ``out`` has another shape.
        """
        _refuse(keywords)
        inputs, samples, programs = self._prepare(args)
        check_reduction(reduce)
        numbers = argument_numbers(argnums)
        place = self._coordinate(coordinate, len(args))
        key = (numbers, place, reduce)
        request = programs.requests.get(key)
        if request is None:
            request = GradientRequest(self._parameters, programs.traced, numbers, place, reduce)
            programs.requests[key] = request
        return request.run(inputs, samples, with_status, with_mask, out)

    def jacobian(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: bool = False,
        out: Any = None,
        coordinate: Coordinate = None,
        **keywords: Any,
    ) -> Any:
        """The derivatives of all outputs of the function, for each sample.

        Args:
            *args: the arguments of the function.
            argnums: as for ``value_and_grad``.
            with_status: whether to return the derivatives' ``GradientStatus`` flags as well.
            out: the array to write to; None for a new one.
            coordinate: as for ``value_and_grad``.
            **keywords: not supported, as in a call.

        Returns:
            A float64 array (samples, outputs, inputs), or that and a uint8 array of the same shape.
            Outputs are the nodes that the function returns, in order; inputs are the elements of
            the arguments in ``argnums``, one argument after the other.

        Raises:
            TypeError: for ``argnums`` or ``coordinate`` of another type.
            ValueError: if ``argnums`` or ``coordinate`` names no argument, or ``out`` has another
                shape.
        """
        _refuse(keywords)
        inputs, samples, programs = self._prepare(args)
        numbers = argument_numbers(argnums)
        place = self._coordinate(coordinate, len(args))
        key = ("jacobian", numbers, place)
        request = programs.requests.get(key)
        if request is None:
            request = JacobianRequest(self._parameters, programs.traced, numbers, place)
            programs.requests[key] = request
        return request.run(inputs, samples, with_status, out)

    def program(self, *args: Any) -> TracedProgram:
        """The program that is replayed for such arguments; ``print`` lists its operations."""
        return self._prepare(args)[2].traced.program

    def _prepare(self, args: tuple[Any, ...]) -> tuple[list[Array], int, _Programs]:
        """The arguments as arrays, the number of samples, and the function traced for them."""
        parameters = self._parameters
        per_sample = parameters.per_sample(len(args))
        inputs = [
            argument if is_ready(argument) else parameters.doubles(argument, place)
            for place, argument in enumerate(args)
        ]
        samples = parameters.samples(inputs, per_sample)
        shapes = tuple(
            [array.shape[1:] if own else array.shape for array, own in zip(inputs, per_sample)]
        )
        programs = self._programs.get(shapes)
        if programs is None:
            programs = self._trace(shapes, per_sample)
        programs.last_use = next(self._uses)
        return inputs, samples, programs

    def _trace(self, shapes: tuple[Shape, ...], per_sample: tuple[bool, ...]) -> _Programs:
        """The function traced for these shapes. The first of several threads that trace wins."""
        new = _Programs(trace(self.__wrapped__, self._parameters, shapes, per_sample))
        # Without a lock: a finalizer, a hook or a signal handler may come here meanwhile.
        while shapes not in self._programs and len(self._programs) >= PROGRAMS:
            programs = self._programs.copy()
            oldest = min(programs, key=lambda key: programs[key].last_use)
            self._programs.pop(oldest, None)
        return self._programs.setdefault(shapes, new)

    def _coordinate(self, coordinate: Coordinate, arguments: int) -> Optional[int]:
        """The place of the coordinate of a call."""
        if coordinate is None:
            coordinate = self._settings[2]
        if coordinate is None:
            return None
        return self._parameters.place(coordinate, arguments, "coordinate")

    def __get__(self, instance: object, owner: Optional[type] = None) -> BatchedFunction:
        """Itself through a class; an instance cannot be batched over.

        Raises:
            AttributeError: through an instance, as for a decorated method.
        """
        if instance is None:
            return self
        raise AttributeError(
            f"tr_vmap batches no methods: {self._parameters.label} does not bind to an instance of "
            f"{type(instance).__name__}; batch a function of arrays, here with @staticmethod above"
        )

    def __reduce__(self) -> Union[str, tuple[Any, ...]]:
        return _global_name(self) or (BatchedFunction, self._settings)

    def __repr__(self) -> str:
        function, in_axes, coordinate = self._settings
        name = getattr(function, "__qualname__", None) or repr(function)
        shown = "" if coordinate is None else f", coordinate={coordinate!r}"
        return f"tr_vmap({name}, in_axes={in_axes!r}{shown})"


def _global_name(batched: BatchedFunction) -> Optional[str]:
    """The name of the object in its function's module, if it has one, as after decoration."""
    name: str = getattr(batched, "__qualname__", "")
    try:
        found = attrgetter(name)(sys.modules[batched.__module__])
    except (AttributeError, KeyError):
        return None
    return name if found is batched else None


def _refuse(keywords: dict[str, Any]) -> None:
    if keywords:
        name = next(iter(keywords))
        raise TypeError(
            f"keyword arguments such as {name!r} do not reach the function: pass them by position, "
            "or bind them with functools.partial"
        )
