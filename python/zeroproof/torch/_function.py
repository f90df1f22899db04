"""``zeroproof.torch.function``: a function of nodes as a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Optional, Union

import numpy as np
import torch

from .. import replay
from .._bridging import (
    PROGRAMS,
    check_settings,
    have_samples,
    mode_of_call,
    shapes_of_one,
    taken_apart,
)
from ..autodiff.grad_mode import GradientMode
from . import _compiled as compiled
from ._autograd import Own, Values
from ._namespace import is_compiling, is_wrapped
from ._traced import Traced

__all__ = ["Function", "function"]

DEVICES = ("auto", "host", "replay")


def function(
    f: Callable[..., Any],
    in_axes: Any = 0,
    *,
    mode: Union[replay.Mode, GradientMode, None] = None,
    coordinate: Optional[int] = None,
    nan_policy: str = "tag",
    fill: float = 0.0,
    device: str = "auto",
) -> Function:
    """A function of nodes as a function of tensors that autograd differentiates, twice if asked.

    It is traced when it is first called with arguments of some shapes, as by ``tr_vmap``, whose
    conditions hold here as well; backward passes call it no more. Gradients follow the rules of the
    gradient mode: what meets a pole is silenced, dropped or bounded, and no parameter gets a NaN.

    Args:
        f: takes nodes, object arrays of nodes or structures of these, and returns a node, an object
            array of nodes or a structure of these.
        in_axes: 0 for arguments whose first axis is that of the samples, None for those that all
            samples share: one entry for all arguments, or a tuple with an entry or a structure of
            entries for each.
        mode: the gradient mode, or a ``zeroproof.replay.Mode`` with its bound and δ. By default the
            one that is current when the function is called; the backward pass uses it then,
            wherever it runs.
        coordinate: the place of the argument that exploration regions refer to.
        nan_policy: what the rest of the program sees of a value that is not REAL. ``"tag"``:
            ``fill`` in its place, and beside the values a mask that is True there. ``"fill"``:
            ``fill`` alone; the mask is in ``masked``. ``"ieee"``: ±inf or NaN.
        fill: the number for that. No cotangent reaches the function through it.
        device: ``"host"`` to have the engine compute on the host: in float64, with its bits,
            rounded once to the type of the tensors. ``"replay"`` to replay the program in tensor
            operations where the tensors are, in their type: numbers agree with the engine's to a
            few units in the last place. ``"auto"``: the host for tensors on the CPU, else the
            replay.

    Raises:
        TypeError: if ``f`` is not callable, or for another type of ``mode``.
        ValueError: for another ``nan_policy`` or ``device``, or a fill that is not finite.
    """
    return Function(f, in_axes, mode, coordinate, nan_policy, fill, device)


class Function:
    """A function of tensors; made by :func:`function`."""

    masked: Any
    """Where the values of the last call are not REAL: boolean tensors in their structure.

    None before the first call, and after one inside of a transformation of ``torch.func``. A graph
    of ``torch.compile`` sets it as well.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        in_axes: Any,
        mode: Union[replay.Mode, GradientMode, None],
        coordinate: Optional[int],
        nan_policy: str,
        fill: float,
        device: str,
    ) -> None:
        if not callable(f):
            raise TypeError(f"zeroproof.torch.function takes a function, not {type(f).__name__}")
        check_settings(nan_policy, fill, mode)
        if device not in DEVICES:
            raise ValueError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
        self._function = f
        self._in_axes, self.mode, self._coordinate = in_axes, mode, coordinate
        self._policy, self._fill, self._device = nan_policy, float(fill), device
        self._traced: dict[Any, Traced] = {}
        self._plans: dict[Any, compiled.Planned] = {}
        self.masked = None
        update_wrapper(self, f, updated=())

    def __call__(self, *args: Any) -> Any:
        """The values of all samples.

        Returns:
            A tensor with an element for each sample; for an array of nodes its axes behind; for a
            structure of results the same structure. If all arguments are shared there is no axis of
            samples. With ``nan_policy="tag"`` a pair of that and masks.

        Raises:
            TypeError: for arguments that are no tensors of float64 or float32 or numbers.
            ValueError: if an argument has no axis of samples although ``in_axes`` says so, the
                numbers of samples differ, or tensors lie on different devices.
        """
        values, masked, outlives = _values_and_masks(self, *args)
        self.masked = masked if outlives else None
        return (values, masked) if self._policy == "tag" else values

    @torch.compiler.disable  # where the graph breaks, the compiler must not look further in
    def _called(self, args: tuple[Any, ...]) -> tuple[Any, Any, bool]:
        """Values as the policy says, masks, and whether these may outlive the call."""
        traced, own, tensors = self._prepared(args)
        engine = traced.engine(self._where(tensors))
        if is_compiling():
            values = compiled.values(self._plan(traced, engine, own), tensors)
        else:
            values = Values.apply(engine, mode_of_call(self.mode), own, *tensors)
        is_single = not any(own)
        mask = ~torch.isfinite(values.detach())
        masked = traced.packed(mask, is_single)
        if self._policy != "ieee":
            # By a selection, through which nothing flows back: no product of 0 with an infinity.
            values = torch.where(mask, self._fill, values)
        return traced.packed(values, is_single), masked, not is_wrapped(mask)

    def _plan(self, traced: Traced, engine: Any, own: Own) -> compiled.Planned:
        """What a compiled graph computes by, kept as long as the function is."""
        key = (id(engine), own)
        plan = self._plans.get(key)
        if plan is None:
            # A schedule may change the mode after the graph was made.
            made = compiled.Planned(engine, lambda: self.mode, own, traced.outputs)
            plan = self._plans.setdefault(key, made)
        return plan

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    @torch.compiler.disable
    def tags(self, *args: Any) -> Any:
        """The tags of the values, uint8 tensors in their structure: the codes of ``TRTag``."""
        traced, own, tensors = self._prepared(args)
        with torch.no_grad():
            values = traced.engine(self._where(tensors)).values(own, tensors)
            infinite = torch.where(values > 0, 1, 2)
            tags = torch.where(
                torch.isfinite(values), 0, torch.where(torch.isnan(values), 3, infinite)
            )
        return traced.packed(tags.to(torch.uint8), not any(own))

    @torch.compiler.disable
    def pullback(self, cotangents: Any, *args: Any) -> tuple[Any, Any]:
        """Gradients for given cotangents of the values, and how they came about.

        This is what autograd's backward pass computes for these cotangents where a value is REAL,
        with the statuses beside the gradients. A cotangent that is not finite is left out, and the
        status says DROPPED; one that meets a value that is not REAL goes by the rule of the mode.

        Args:
            cotangents: tensors in the structure and shapes of the values.
            *args: the arguments.

        Returns:
            ``(gradients, statuses)``: a tuple each with an item for each argument, in its structure
            and shape; statuses are uint8, the flags of ``GradientStatus``.

        Raises:
            TypeError, ValueError: as a call, and for cotangents of another structure or shape.
        """
        traced, own, tensors = self._prepared(args)
        columns = traced.gathered(cotangents, own, tensors)
        engine, wanted = traced.engine(self._where(tensors)), tuple(range(len(tensors)))
        with torch.no_grad():
            gradients, statuses = engine.pull(
                mode_of_call(self.mode), own, wanted, columns, tensors
            )
        return traced.in_structure(gradients), traced.in_structure(statuses)

    def _where(self, tensors: Sequence[torch.Tensor]) -> str:
        if self._device != "auto":
            return self._device
        return "host" if tensors[0].device.type == "cpu" else "replay"

    def _prepared(
        self, args: tuple[Any, ...]
    ) -> tuple[Traced, tuple[bool, ...], list[torch.Tensor]]:
        """The arguments as tensors of one type, and the function traced for them."""
        structures, leaves, names = taken_apart(args)
        own = have_samples(self._in_axes, structures)
        tensors = _real_tensors(leaves, names)
        shapes, _ = shapes_of_one([tuple(tensor.shape) for tensor in tensors], own, names)
        key = (structures, shapes)
        traced = self._traced.get(key)
        if traced is None:
            while len(self._traced) >= PROGRAMS:
                self._traced.pop(next(iter(self._traced), None), None)
            made = Traced(self._function, structures, names, shapes, self._coordinate)
            traced = self._traced.setdefault(key, made)
        return traced, own, tensors

    def __getstate__(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "_traced": {},
            "_plans": {},
            "masked": None,
        }  # traced again when it is called

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", None) or repr(self._function)
        return f"zeroproof.torch.function({name}, in_axes={self._in_axes!r})"


def _values_and_masks(function: Function, *args: Any) -> tuple[Any, Any, bool]:
    found: tuple[Any, Any, bool] = function._called(args)
    return found


if compiled.IS_AVAILABLE:
    # Not looked into by the compiler, but run on tensors without numbers: the result is a step of
    # the graph. A function is a constant of the graph.
    _values_and_masks = torch.compiler.nonstrict_trace(_values_and_masks)
    torch.utils._pytree.register_constant(Function)
else:
    _values_and_masks = torch.compiler.disable(_values_and_masks)


def _real_tensors(leaves: Sequence[Any], names: Sequence[str]) -> list[torch.Tensor]:
    """The leaves as tensors of one floating-point type on one device."""
    if not any(isinstance(leaf, torch.Tensor) for leaf in leaves):
        raise TypeError(
            "zeroproof.torch.function takes tensors, but was called without any; "
            "tr_vmap takes NumPy's arrays"
        )
    devices = {leaf.device for leaf in leaves if isinstance(leaf, torch.Tensor)}
    if len(devices) > 1:
        raise ValueError(
            f"the tensors must lie on one device, not on {' and '.join(sorted(map(str, devices)))}"
        )
    kinds = set()
    for leaf, name in zip(leaves, names):
        if isinstance(leaf, torch.Tensor):
            if leaf.is_complex() or leaf.dtype is torch.bool:
                raise TypeError(f"{name} must be a tensor of real numbers, not of {leaf.dtype}")
            if leaf.is_floating_point():
                if leaf.dtype not in (torch.float64, torch.float32):
                    raise TypeError(
                        f"{name} must be of float64 or float32, not {leaf.dtype}: convert it "
                        "with .float()"
                    )
                kinds.add(leaf.dtype)
        elif isinstance(leaf, (bool, np.bool_)) or not isinstance(
            leaf, (int, float, np.number, np.ndarray)
        ):
            raise TypeError(f"{name} must be a tensor or a number, not {type(leaf).__name__}")
    default = torch.get_default_dtype()
    default = default if default in (torch.float64, torch.float32) else torch.float32
    kind = default if not kinds else torch.float64 if torch.float64 in kinds else torch.float32
    [device] = devices
    return [
        leaf.to(kind)
        if isinstance(leaf, torch.Tensor)
        else torch.as_tensor(leaf, dtype=kind, device=device)
        for leaf in leaves
    ]
