"""Functions on nodes, replayed over many samples at once."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable, Mapping
from functools import update_wrapper
from itertools import accumulate
from math import prod
from operator import attrgetter
from typing import Any, Optional, Union

from .._native import PreparedCalls
from .._trees import flatten
from ..array import TRArray
from ..threads import get_num_threads
from ._batch_arguments import (
    InAxes,
    Inputs,
    Parameters,
    Unconverted,
    common_length,
    is_ready,
)
from ._batch_layout import Layout
from ._batch_partial import PartialMethods
from ._batch_prepared import call_of
from ._batch_requests import GradientRequest, ValuesRequest, check_reduction
from ._batch_sources import Sources
from ._batch_trace import Results, Traced, trace
from ._batch_types import jacobian_of, value_and_grad_of
from ._grad_results import separate_aux
from ._parameters import ArgNum, ArgNums, Numbers, argument_numbers, coordinate_number
from ._program_format import Portable, from_text, to_text
from ._program_methods import ProgramMethods

__all__ = ["BatchedFunction", "Program", "tr_vmap"]

#: An argument by place or name, one of its arrays by path, or none.
Coordinate = Optional[ArgNum]

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
        function: takes nodes, object arrays of nodes, or structures of these, and returns a node,
            an object array of nodes or a structure of these. Structures are dicts, lists, tuples,
            named tuples and dataclasses, nested in any way. Numbers, TR scalars, and nodes that
            need no gradients, are constants.
        in_axes: for each argument 0, if its first axis runs over the samples, or None, if all
            samples share it; or one of these for all arguments. For a structure, a structure of
            these, in which an entry in place of a container holds for all that is in it. An
            argument passed by keyword has the entry of its parameter, and 0 if there is none.
        coordinate: the argument, by place or name, whose value exploration regions refer to; in a
            structure an array by its path, such as ``"p['x']"``.

    Raises:
        TypeError: if the function is not callable, or for ``in_axes`` of another type.
        ValueError: for ``in_axes`` other than 0 and None.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import tr_vmap
        >>> f = tr_vmap(lambda x: 1.0 / x)
        >>> print(f(np.array([2.0, 0.0])))
        TRArray([0.5, +∞])
        >>> value, gradient, status = f.value_and_grad(np.array([2.0, 0.0]), with_status=True)
        >>> print(gradient, status)  # 1 is MASKED
        [-0.25  0.  ] [0 1]
    """
    return BatchedFunction(function, in_axes, coordinate)


class _Programs:
    """The traced function and its plans for one combination of argument shapes."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.requests: dict[Any, Any] = {}


class BatchedFunction(PartialMethods):
    """A function replayed over batches, the result of :func:`tr_vmap`.

    Arguments are numbers, TR scalars, ``TRArray`` and anything that NumPy converts to an array of
    real numbers, or structures of these: dicts, lists, tuples, named tuples and dataclasses, nested
    in any way. A list or tuple of nothing but numbers is an array, unless ``in_axes`` has a
    structure for it. Arguments may be passed by keyword, unless a method has a parameter of that
    name. C-contiguous arrays of float64 are read in place, others are converted. An argument that
    all samples share has the shape that the function receives; others have one more axis in front.
    If all arguments are shared, the call is of one sample, and results have no axis of samples.
    Arrays must not be written to while a call runs in another thread.

    Gradients are in the current gradient mode at the call, and the statistics of the calling thread
    or async task count every sample. Calls run on several threads (``zeroproof.set_num_threads``)
    without holding the GIL, and may be made from several threads at once. An object can be pickled
    if its function can.

    Raises:
        TypeError: for arguments that are not real numbers, and for a function whose control flow
            depends on a value or that returns no node.
        ValueError: if the numbers of samples of the arguments differ, or a structure does not match
            its ``in_axes``.

    Examples:
        >>> from zeroproof import tr_vmap
        >>> f = tr_vmap(lambda x, y: x / y)
        >>> x, y = [1.0, 1.0], [2.0, 0.0]
        >>> f(x, y)
        TRArray([0.5, +∞])
        >>> f.value_and_grad(x, y, argnums=1)
        (TRArray([0.5, +∞]), array([-0.25,  0.  ]))
        >>> f.value_and_grad(x, y, argnums=1, reduce="mean")
        (TRScalar(0.5), array([-0.25,  0.  ]))
        >>> f.jacobian([1.0], [2.0], argnums=1)
        array([[[-0.25]]])
        >>> f.value_and_jacobian([1.0], [2.0])
        (TRArray([0.5]), array([[[0.5]]]))
        >>> f.jvp(([1.0], [2.0]), ([1.0], [0.0]))
        (TRArray([0.5]), array([0.5]))
        >>> values, pullback = f.vjp([1.0], [2.0])
        >>> pullback([1.0])
        (array([0.5]), array([-0.25]))
        >>> f.hvp(([1.0], [2.0]), [1.0], argnums=1)
        array([0.25])
        >>> f.hessian([1.0], [2.0], argnums=1)
        array([[[0.25]]])
        >>> print(f.program(x, y))
        x: () per sample
        y: () per sample
        %0 = x ÷ y
        return %0
        >>> f.partial(x, y, start=0).masks.plus_infinity
        1
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
        self._programs: dict[Hashable, _Programs] = {}
        self._prepared = PreparedCalls(TRArray)

    def __call__(self, *args: Any, out: Any = None, **keywords: Any) -> Any:
        """The values of the function.

        Args:
            *args: the arguments of the function.
            out: the arrays to write to, in the structure of the result: C-contiguous float64 arrays
                of the right shape; None, also for single items, for new ones.
            **keywords: further arguments of the function.

        Returns:
            A TRArray with an element for each sample; for an object array of nodes one more axis in
            front; for a structure of results the same structure.
        """
        kind, given = call_of("call", args, keywords)
        threads = get_num_threads()
        known = self._prepared.run(kind, given, None, None, None, None, False, out, threads)
        if known is not None:
            return known
        inputs, samples, programs = self._prepare("__call__", args, keywords)
        request = programs.requests.get("values")
        if request is None:
            request = programs.requests["values"] = ValuesRequest(programs.traced)
        values = request.run(inputs, samples, out)
        self._prepare_next(kind, None, None, None, request.call)
        return values

    @value_and_grad_of
    def value_and_grad(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        with_mask: bool = False,
        has_aux: bool = False,
        out: Any = None,
        coordinate: Coordinate = None,
        **keywords: Any,
    ) -> Any:
        """The values of the function and their gradients.

        Args:
            *args: the arguments of the function, which must return one node.
            argnums: the place or name of the argument to differentiate with respect to, or several
                as a sequence or one-dimensional array; negative numbers count from the last
                positional argument.
            reduce: None for each sample's gradients; ``"sum"`` or ``"mean"`` for those of the sum
                or mean of the values over the samples whose value is REAL.
            with_status: whether to return the gradients' ``GradientStatus`` flags as well.
            with_mask: whether to return a ``SampleMask`` as well, with the samples that were left
                out and the reasons.
            has_aux: whether the function returns ``(value, aux)``, of which only the value is
                differentiated. It is traced twice.
            out: the arrays to write to, ``(values, gradients)``, or with ``reduce`` the gradients
                alone: C-contiguous float64 arrays of the right shape; None, also for
                single items, for new ones.
            coordinate: the argument, by place or name, whose value exploration regions refer to;
                the default is that of ``tr_vmap``.
            **keywords: further arguments of the function.

        Returns:
            ``(values, gradients)``, then statuses and the mask if requested; with ``has_aux``
            ``(values, aux)`` in place of the values, of which ``aux`` is as a call returns it.
            Gradients are float64 arrays with one row for each sample, in the structure of the
            argument; for several ``argnums`` a tuple. With ``reduce``, ``values`` is one TRScalar,
            a shared array's gradient has its shape, and that of an array with one value for each
            sample keeps its rows. Statuses are uint8 arrays of the same shapes, with ``reduce`` the
            union over the samples. An argument named twice has the same array twice.

        Raises:
            TypeError: if the function returns several nodes, which ``jacobian`` differentiates, and
                for ``argnums``, ``reduce`` or ``coordinate`` of another type.
            ValueError: if ``argnums`` or ``coordinate`` names no argument, for another ``reduce``,
                or if ``out`` has another shape.
        """
        method = "value_and_grad"
        kind, given = call_of(method, args, keywords)
        if not (with_mask or has_aux):
            known = self._known(kind, given, argnums, reduce, coordinate, None, with_status, out)
            if known is not None:
                return known
        check_reduction(reduce)
        numbers = argument_numbers(argnums)
        chosen = coordinate_number(coordinate, self._settings[2])
        inputs, samples, programs = self._prepare(method, args, keywords, numbers, chosen)
        key = (numbers, chosen, reduce, has_aux)
        request = programs.requests.get(key)
        if request is None:
            request = self._gradient_request(programs, numbers, chosen, reduce, has_aux)
            programs.requests[key] = request
        results = request.run(inputs, samples, with_status, with_mask, out)
        self._prepare_next(kind, numbers, reduce, coordinate, request.call)
        return results

    @jacobian_of
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
            **keywords: further arguments of the function.

        Returns:
            A float64 array (samples, outputs, inputs), or that and a uint8 array of the same shape.
            Outputs are the nodes that the function returns, in order; inputs are the elements of
            all arrays in the arguments of ``argnums``, one argument after the other.

        Raises:
            TypeError: for ``argnums`` or ``coordinate`` of another type.
            ValueError: if ``argnums`` or ``coordinate`` names no argument, or ``out`` has another
                shape.
        """
        kind, given = call_of("jacobian", args, keywords)
        known = self._known(kind, given, argnums, None, coordinate, None, with_status, out)
        if known is not None:
            return known
        request, inputs, samples = self._jacobian_request(
            "jacobian", args, keywords, argnums, coordinate
        )
        jacobian = request.run(inputs, samples, with_status, out)
        numbers = argument_numbers(argnums)
        self._prepare_next(kind, numbers, None, coordinate, request.call)
        return jacobian

    def program(self, *args: Any, native: bool = False, **keywords: Any) -> Program:
        """The program that is replayed for such arguments; ``print`` lists its operations.

        With ``native=True`` it also shows the machine code of value and gradients, as
        ``Program.native_listing`` has it.
        """
        traced = self._prepare("program", args, keywords)[2].traced
        parameters = self._parameters
        names = tuple(map(parameters.name, range(traced.layout.positional)))
        # A default that these arguments do not have is of no use to the program.
        coordinate = coordinate_number(None, self._settings[2])
        try:
            parameters.coordinate(traced.layout, coordinate)
        except ValueError:
            coordinate = None
        return Program(Portable(parameters.label, names, coordinate, traced), native)

    def _prepare(
        self,
        method: str,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        numbers: Numbers = (),
        coordinate: Coordinate = None,
    ) -> tuple[Inputs, int, _Programs]:
        """The arguments as arrays, the number of samples, and the function traced for them."""
        parameters = self._parameters
        unknown = parameters.unknown_keyword(keywords) if keywords else None
        if unknown is not None:
            raise _unexpected(unknown, method, parameters.label)
        per_sample = None if keywords else parameters.flat_axes(len(args))
        inputs: Optional[Inputs] = args
        if per_sample is None or not all(map(is_ready, args)):
            # What is requested is looked at first, so that nothing is converted in vain.
            parameters.check_request(numbers, coordinate, args, keywords)
            inputs = None if per_sample is None else parameters.plain(args)
        if per_sample is None or inputs is None:
            return self._prepare_structures(args, keywords)
        arrays = inputs.arrays if isinstance(inputs, Unconverted) else inputs
        samples = common_length(arrays, per_sample)
        if samples is None:
            return self._prepare_structures(args, keywords)
        shapes = tuple(
            [array.shape[1:] if own else array.shape for array, own in zip(arrays, per_sample)]
        )
        programs = self._programs.get(shapes)
        if programs is None:
            programs = self._trace(shapes, parameters.flat_layout(shapes, per_sample))
        programs.traced.last_use.renew()
        return inputs, samples, programs

    def _prepare_structures(
        self, args: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> tuple[Inputs, int, _Programs]:
        """The same for structures and keywords, and for what raises."""
        parameters = self._parameters
        unconverted, layout = parameters.laid_out(args, keywords)
        samples = parameters.samples(unconverted.arrays, layout.per_sample, layout.names)
        is_flat = not keywords and all(structure.is_leaf for structure in layout.structures)
        programs = self._programs.get(layout.shapes if is_flat else layout)
        if programs is None:
            programs = self._trace(layout.shapes if is_flat else layout, layout)
        programs.traced.last_use.renew()
        return unconverted, samples, programs

    def _trace(self, key: Hashable, layout: Layout) -> _Programs:
        """The function traced for this layout. The first of several threads that trace wins."""
        new = _Programs(self._traced(layout))
        # Without a lock: a finalizer, a hook or a signal handler may come here meanwhile.
        while key not in self._programs and len(self._programs) >= PROGRAMS:
            programs = self._programs.copy()
            oldest = min(programs, key=lambda key: programs[key].traced.last_use.number)
            self._programs.pop(oldest, None)
            self._prepared.remove(programs[oldest].traced.last_use)
        return self._programs.setdefault(key, new)

    def _traced(self, layout: Layout) -> Traced:
        """The function as a program for these arguments."""
        return trace(self.__wrapped__, layout, self._parameters.label)

    def _traced_value(self, pair: Traced) -> Traced:
        """The same with the value alone, of a function that returns that and something else."""
        label = self._parameters.label
        return trace(self.__wrapped__, pair.layout, label, lambda result: separate_aux(result)[0])

    def _gradient_request(
        self,
        programs: _Programs,
        numbers: Numbers,
        coordinate: Coordinate,
        reduce: Optional[str],
        has_aux: bool,
    ) -> GradientRequest:
        label, traced = self._parameters.label, programs.traced
        layout, pair = traced.layout, None
        if has_aux:
            # A program has one kind of outputs: here the node alone, there everything.
            pair = traced
            traced = self._traced_value(traced)
        if not traced.results.is_node:
            raise TypeError(
                f"value_and_grad needs a function that returns one node, but {label} returns "
                "several; jacobian differentiates them all, and has_aux=True takes (value, aux)"
            )
        sources = self._sources(layout, numbers)
        leaf = self._parameters.coordinate(layout, coordinate)
        return GradientRequest(traced, sources, leaf, reduce, pair)

    def _sources(self, layout: Layout, numbers: Numbers) -> Sources:
        single = not isinstance(numbers, tuple)
        keys = self._parameters.keys_of(numbers, layout.positional, layout.keywords)
        return Sources(layout, keys, single)

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


class Program(ProgramMethods, BatchedFunction):
    """A batched function for arguments of fixed structure and shapes, by itself.

    ``BatchedFunction.program`` makes it of what was recorded, :func:`load_program` of a file. It
    has the methods of a batched function, with the same results; the function that was traced is
    not needed any more. Arguments must be passed as they were when it was traced, by position or by
    keyword, with the same structures and shapes; only the number of samples may differ. An object
    can be pickled, and saved. ``print`` lists its operations.

    Raises:
        TypeError: for another number of arguments.
        ValueError: for arguments of another structure or shape.

    Examples:
        >>> from zeroproof import tr_vmap
        >>> program = tr_vmap(lambda x: 1.0 / x).program([2.0])
        >>> print(program)
        x: () per sample
        %0 = 1 ÷ x
        return %0
        >>> program([4.0, 0.0])
        TRArray([0.25, +∞])
        >>> program.value_and_grad([4.0, 0.0])
        (TRArray([0.25, +∞]), array([-0.0625,  0.    ]))
        >>> program.arguments(), program.steps(), program.outputs()
        ([('x', (), True)], [('constant', 1.0), ('op', 'div', (1, 0))], (2,))
        >>> "void recip(" in program.to_c("recip")
        True
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from zeroproof.autodiff import load_program
        >>> with TemporaryDirectory() as folder:
        ...     program.save(Path(folder, "recip.json"))
        ...     same = load_program(Path(folder, "recip.json"))
        >>> same([4.0])
        TRArray([0.25])
    """

    def __init__(self, portable: Portable, shows_native: bool = False) -> None:
        self._portable = portable
        self._shows_native = shows_native
        self._settings = (None, None, portable.coordinate)
        self._parameters = self._fixed = portable.parameters
        self._programs = {}
        self._prepared = PreparedCalls(TRArray)

    def program(self, *args: Any, native: bool = False, **keywords: Any) -> Program:
        """The program itself, for arguments that it is for; with ``native`` one that shows more."""
        self._prepare("program", args, keywords)
        return self if native == self._shows_native else Program(self._portable, native)

    def _traced(self, layout: Layout) -> Traced:
        self._fixed.expect(layout)
        traced = self._portable.traced
        return Traced(traced.program, traced.results, layout)

    def _traced_value(self, pair: Traced) -> Traced:
        results, program = pair.results, pair.program
        ends = list(accumulate(map(prod, results.shapes), initial=0))
        value, _ = separate_aux(results.structure.unflatten(range(len(results.shapes))))
        leaves, structure = flatten(value)
        nodes = [node for leaf in leaves for node in program.outputs()[ends[leaf] : ends[leaf + 1]]]
        shapes = tuple([results.shapes[leaf] for leaf in leaves])
        return Traced(program.with_outputs(nodes), Results(structure, shapes), pair.layout)

    def __get__(self, instance: object, owner: Optional[type] = None) -> Program:
        """Itself, through a class or an instance."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (to_text(self._portable),)

    def __repr__(self) -> str:
        return repr(self._portable.traced.program).replace("TracedProgram", f"Program {self.name}")

    def __str__(self) -> str:
        text = str(self._portable.traced.program)
        if not self._shows_native:
            return text
        try:
            return f"{text}\n\n{self.native_listing()}"
        except RuntimeError as why_not:
            return f"{text}\n\n; no native code: {why_not}"


def _unpickled(text: str) -> Program:
    return Program(from_text(text, 2**32))


def _global_name(batched: BatchedFunction) -> Optional[str]:
    """The name of the object in its function's module, if it has one, as after decoration."""
    name: str = getattr(batched, "__qualname__", "")
    try:
        found = attrgetter(name)(sys.modules[batched.__module__])
    except (AttributeError, KeyError):
        return None
    return name if found is batched else None


def _unexpected(keyword: str, method: str, label: str) -> TypeError:
    """The error for a keyword that neither a method nor the function takes."""
    parameters = inspect.signature(getattr(BatchedFunction, method)).parameters.values()
    own = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    name = "a call" if method == "__call__" else method
    known = f"it has {', '.join(own)}" if own else "it has none of its own"
    return TypeError(
        f"{label} got an unexpected keyword argument {keyword!r}, which {name} does not have "
        f"either: {known}"
    )
