"""Derivatives along a direction and second derivatives, as methods of batched functions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Optional, TypeVar

from .._native import PreparedCall, PreparedCalls
from ..sample_mask import alarm_blocks
from ..threads import get_num_threads
from ._batch_arguments import Inputs, Parameters
from ._batch_directional import DerivativeRequest, HessianRequest, ProductRequest
from ._batch_directional_types import hessian_of, jvp_of, value_and_jacobian_of
from ._batch_layout import Layout
from ._batch_prepared import call_of
from ._batch_pullback import Pullback, PullbackRequest
from ._batch_requests import JacobianRequest, check_reduction
from ._batch_sources import Sources
from ._batch_trace import Traced
from ._parameters import ArgNum, ArgNums, Numbers, argument_numbers, coordinate_number

_Request = TypeVar("_Request")


class DirectionalMethods:
    """The methods of a batched function that follow its derivatives further."""

    _parameters: Parameters
    _settings: tuple[Any, Any, Optional[ArgNum]]
    _prepared: PreparedCalls
    """The calls made lately, which the engine recognises and carries out by itself."""

    def _prepare(
        self,
        method: str,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        numbers: Numbers = (),
        coordinate: Optional[ArgNum] = None,
    ) -> tuple[Inputs, int, Any]:
        raise NotImplementedError

    def _sources(self, layout: Layout, numbers: Numbers) -> Sources:
        raise NotImplementedError

    @jvp_of
    def jvp(
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
    ) -> tuple[Any, ...]:
        """The values of the function and their derivatives along a direction.

        Args:
            primals: a tuple or list of the positional arguments of the function.
            tangents: an item for each primal, of its structure and shape, of finite numbers: for an
                argument of samples a direction for each of them, for a shared one a direction that
                they share. With ``argnums`` an item for each argument named there, or for a single
                one the item itself.
            argnums: the arguments to differentiate with respect to, as for ``value_and_grad``; None
                for all positional ones.
            reduce: None for each sample's derivatives; ``"sum"`` or ``"mean"`` for that of the sum
                or mean of the values over the samples whose value is REAL. The function must return
                one node.
            with_status: whether to return the derivatives' ``GradientStatus`` flags as well.
            out: the arrays to write to, ``(values, derivatives)``, each in the structure of the
                result, or with ``reduce`` the array of shape () for the derivative: C-contiguous
                float64 arrays of the right shape; None, also for single items, for new ones.
            coordinate: as for ``value_and_grad``.
            **keywords: further arguments of the function.

        Returns:
            ``(values, derivatives)``, then statuses if requested. Values are as a call returns
            them; derivatives are float64 arrays, statuses uint8 arrays, in the same structure, with
            an element for each sample. With ``reduce`` they are a TRScalar and arrays of shape ().

        Raises:
            TypeError: if ``primals`` is no tuple or list, ``tangents`` holds anything but numbers,
                or with ``reduce`` the function returns several nodes.
            ValueError: if tangents are not finite or their structures or shapes differ from those
                of the arguments, and as for ``value_and_grad``.
        """
        primals = _primals(primals)
        kind, given = call_of("jvp", primals, keywords)
        known: Optional[tuple[Any, ...]] = self._known(
            kind, given, argnums, reduce, coordinate, tangents, with_status, out
        )
        if known is not None:
            return known
        numbers = tuple(range(len(primals))) if argnums is None else argument_numbers(argnums)

        def make(traced: Traced, sources: Sources, leaf: Optional[int]) -> DerivativeRequest:
            if reduce is not None:
                self._expect_node(traced, "jvp with reduce")
            return DerivativeRequest(traced, sources, leaf, reduce)

        check_reduction(reduce)
        request, inputs, samples = self._request(
            "jvp", ("jvp", reduce), make, primals, keywords, numbers, coordinate
        )
        results = request.run(inputs, samples, tangents, with_status, out)
        named = None if argnums is None else numbers
        self._prepare_next(kind, named, reduce, coordinate, request.call)
        return results

    def hvp(
        self,
        primals: Sequence[Any],
        v: Any,
        *,
        argnums: ArgNums = 0,
        transposed: bool = False,
        reduce: Optional[str] = None,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Any:
        """The products of the Hessians with a direction, at the cost of a few gradients.

        Args:
            primals: a tuple or list of the positional arguments of the function, which must return
                one node.
            v: the direction, of finite numbers, in the structure and shape of the argument: for an
                argument of samples a direction for each of them, for a shared one a direction that
                they share. For several ``argnums`` a tuple or list with an item for each.
            argnums: the arguments to differentiate with respect to, as for ``value_and_grad``.
            transposed: whether to multiply with the transposed matrix, as for ``tr_hvp``. The two
                differ only where partials are bounded.
            reduce: None for each sample's product; ``"sum"`` or ``"mean"`` for that of the sum or
                mean of the values over the samples whose value is REAL.
            with_status: whether to return the products' ``GradientStatus`` flags as well.
            out: the arrays to write to, in the structure of the product: C-contiguous float64
                arrays of the right shape; None, also for single items, for new ones.
            coordinate: as for ``value_and_grad``.
            **keywords: further arguments of the function.

        Returns:
            The products as float64 arrays, in the structure of the argument; for several
            ``argnums`` a tuple; with ``with_status`` a pair of that and the statuses as uint8
            arrays. They have one row for each sample. With ``reduce``, a shared array's product has
            its shape, and that of an array with one value for each sample keeps its rows.

        Raises:
            TypeError: if the function returns several nodes, ``primals`` is no tuple or list, or
                ``v`` holds anything but numbers.
            ValueError: if ``v`` is not finite or its structure or shapes differ from those of the
                arguments, and as for ``value_and_grad``.
        """
        primals = _primals(primals)
        kind, given = call_of("hvp, transposed" if transposed else "hvp", primals, keywords)
        known = self._known(kind, given, argnums, reduce, coordinate, v, with_status, out)
        if known is not None:
            return known
        numbers = argument_numbers(argnums)

        def make(traced: Traced, sources: Sources, leaf: Optional[int]) -> ProductRequest:
            self._expect_node(traced, "hvp")
            return ProductRequest(traced, sources, leaf, reduce, bool(transposed))

        check_reduction(reduce)
        what = ("hvp", reduce, bool(transposed))
        request, inputs, samples = self._request(
            "hvp", what, make, primals, keywords, numbers, coordinate
        )
        product = request.run(inputs, samples, v, with_status, out)
        self._prepare_next(kind, numbers, reduce, coordinate, request.call)
        return product

    @hessian_of
    def hessian(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        reduce: Optional[str] = None,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> Any:
        """The Hessians of the function, for each sample or reduced.

        Args:
            *args: the arguments of the function, which must return one node.
            argnums: as for ``value_and_grad``.
            reduce: None for each sample's Hessian; ``"sum"`` or ``"mean"`` for that of the sum or
                mean of the values over the samples whose value is REAL, by arguments that all
                samples share.
            with_status: whether to return the entries' ``GradientStatus`` flags as well.
            out: the array to write to; None for a new one.
            coordinate: as for ``value_and_grad``.
            **keywords: further arguments of the function.

        Returns:
            A float64 array (samples, n, n), with ``reduce`` (n, n), or that and a uint8 array of
            the same shape. Rows and columns are the elements of all arrays in the arguments of
            ``argnums``, one argument after the other: entry ``[..., i, j]`` says how gradient i, in
            the current mode, changes with element j.

        Raises:
            TypeError: if the function returns several nodes.
            ValueError: with ``reduce`` for an argument that the samples do not share, and as for
                ``value_and_grad``.
        """
        kind, given = call_of("hessian", args, keywords)
        known = self._known(kind, given, argnums, reduce, coordinate, None, with_status, out)
        if known is not None:
            return known
        numbers = argument_numbers(argnums)

        def make(traced: Traced, sources: Sources, leaf: Optional[int]) -> HessianRequest:
            self._expect_node(traced, "hessian")
            return HessianRequest(traced, sources, leaf, reduce)

        check_reduction(reduce)
        request, inputs, samples = self._request(
            "hessian", ("hessian", reduce), make, args, keywords, numbers, coordinate
        )
        hessian = request.run(inputs, samples, with_status, out)
        self._prepare_next(kind, numbers, reduce, coordinate, request.call)
        return hessian

    def vjp(
        self,
        *primals: Any,
        argnums: Optional[ArgNums] = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, Pullback]:
        """The values of the function, and a function that pulls adjoints of them back.

        Args:
            *primals: the arguments of the function. What the pullback needs of them is copied.
            argnums: the arguments to differentiate with respect to, as for ``value_and_grad``; None
                for all positional ones.
            coordinate: as for ``value_and_grad``.
            **keywords: further arguments of the function.

        Returns:
            ``(values, pullback)``: the values as a call returns them, and a function of adjoints
            in their structure, which returns the gradients of all samples, bit for bit those of the
            pullback of :func:`tr_vjp` for each: ``pullback(adjoints, *, reduce=None,
            with_status=False, out=None)``.

        Raises:
            TypeError, ValueError: as ``value_and_grad``.
        """
        numbers = tuple(range(len(primals))) if argnums is None else argument_numbers(argnums)
        request, inputs, samples = self._request(
            "vjp", "vjp", PullbackRequest, primals, keywords, numbers, coordinate
        )
        return request.bound(inputs, samples, self._parameters.label)

    @value_and_jacobian_of
    def value_and_jacobian(
        self,
        *args: Any,
        argnums: ArgNums = 0,
        with_status: bool = False,
        out: Any = None,
        coordinate: Optional[ArgNum] = None,
        **keywords: Any,
    ) -> tuple[Any, ...]:
        """The values of the function and the derivatives of all outputs, for each sample.

        Args:
            *args: the arguments of the function.
            argnums: as for ``value_and_grad``.
            with_status: whether to return the derivatives' ``GradientStatus`` flags as well.
            out: the arrays to write to, ``(values, jacobian)``, the values in the structure of the
                result; None, also for single items, for new ones.
            coordinate: as for ``value_and_grad``.
            **keywords: further arguments of the function.

        Returns:
            ``(values, jacobian)``, then statuses if requested: the values as a call returns them,
            the rest as ``jacobian`` does, an array (samples, outputs, inputs).

        Raises:
            TypeError, ValueError: as ``jacobian``.
        """
        kind, given = call_of("value_and_jacobian", args, keywords)
        known: Optional[tuple[Any, ...]] = self._known(
            kind, given, argnums, None, coordinate, None, with_status, out
        )
        if known is not None:
            return known
        request, inputs, samples = self._jacobian_request(
            "value_and_jacobian", args, keywords, argnums, coordinate
        )
        results = request.run_with_values(inputs, samples, with_status, out)
        numbers, call = argument_numbers(argnums), request.call_with_values
        self._prepare_next(kind, numbers, None, coordinate, call)
        return results

    def _jacobian_request(
        self,
        method: str,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        argnums: ArgNums,
        coordinate: Optional[ArgNum],
    ) -> tuple[JacobianRequest, Inputs, int]:
        numbers = argument_numbers(argnums)
        return self._request(
            method, "jacobian", JacobianRequest, args, keywords, numbers, coordinate
        )

    def _known(
        self,
        kind: Any,
        given: tuple[Any, ...],
        argnums: Optional[ArgNums],
        reduce: Optional[str],
        coordinate: Optional[ArgNum],
        direction: Any,
        with_status: bool,
        out: Any,
    ) -> Any:
        """What a call returns that the engine recognises.

        None for other calls, and if alarms are to be asked.
        """
        if alarm_blocks():
            return None
        threads = get_num_threads()
        return self._prepared.run(
            kind, given, argnums, reduce, coordinate, direction, with_status, out, threads
        )

    def _request(
        self,
        method: str,
        kind: Hashable,
        make: Callable[[Traced, Sources, Optional[int]], _Request],
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        numbers: Numbers,
        coordinate: Optional[ArgNum],
    ) -> tuple[_Request, Inputs, int]:
        """The request of this kind, compiled at its first call, with arguments and samples.

        ``method`` is the one that was called, for errors.
        """
        coordinate = coordinate_number(coordinate, self._settings[2])
        inputs, samples, programs = self._prepare(method, args, keywords, numbers, coordinate)
        key = (kind, numbers, coordinate)
        request = programs.requests.get(key)
        if request is None:
            traced = programs.traced
            sources = self._sources(traced.layout, numbers)
            leaf = self._parameters.coordinate(traced.layout, coordinate)
            request = programs.requests[key] = make(traced, sources, leaf)
        return request, inputs, samples

    def _prepare_next(
        self,
        kind: Any,
        argnums: Optional[Numbers],
        reduce: Optional[str],
        coordinate: Optional[ArgNum],
        call: Optional[PreparedCall],
    ) -> None:
        """Has the engine carry out the next call of this kind by itself, if it can."""
        if call is not None:
            self._prepared.add(kind, argnums, reduce, coordinate, call)

    def _expect_node(self, traced: Traced, what: str) -> None:
        if not traced.results.is_node:
            raise TypeError(
                f"{what} needs a function that returns one node, but {self._parameters.label} "
                "returns several"
            )


def _primals(given: Any) -> tuple[Any, ...]:
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            f"primals must be a tuple or list of arguments, not {type(given).__name__}: for a "
            "single argument x pass (x,)"
        )
    return tuple(given)
