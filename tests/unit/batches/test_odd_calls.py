"""Calls that are like none of the calls that the engine carries out without Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.prepared import CALLS, Call, inputs, make, ones, outcome, same


def bad_out(samples: int) -> np.ndarray[Any, Any]:
    array = np.empty(samples)
    array.flags.writeable = False
    return array


def broadcast_out(samples: int) -> np.ndarray[Any, Any]:
    """One that NumPy lets be written to with a warning, since others may have its memory."""
    return np.broadcast_arrays(np.empty(samples), np.empty((1, samples)))[0][0]


X300 = inputs(300)
ODD_CALLS: dict[str, Call] = {
    "a bool": lambda f, args: f.value_and_grad(*args, argnums=True),
    "a float": lambda f, args: f.value_and_grad(*args, argnums=2.0),
    "a float in a tuple": lambda f, args: f.value_and_grad(*args, argnums=(2.0,)),
    "a number of NumPy": lambda f, args: f.value_and_grad(*args, argnums=np.int64(2)),
    "no argument": lambda f, args: f.value_and_grad(*args, argnums=4),
    "twice": lambda f, args: f.value_and_grad(*args, argnums=(2, 2)),
    "another reduction": lambda f, args: f.value_and_grad(*args, argnums=2, reduce="max"),
    "a number as reduction": lambda f, args: f.value_and_grad(*args, argnums=2, reduce=0),
    "another coordinate": lambda f, args: f.value_and_grad(*args, argnums=2, coordinate="y"),
    "a status that is no bool": lambda f, args: f.value_and_grad(*args, argnums=2, with_status=1),
    "an unknown keyword": lambda f, args: f.value_and_grad(*args, argnums=2, y=1),
    "too few": lambda f, args: f.value_and_grad(*args[:3], argnums=2),
    "too many": lambda f, args: f.value_and_grad(*args, 1.0, argnums=2),
    "float32": lambda f, args: f.value_and_grad(
        *args[:2], args[2].astype(np.float32), args[3], argnums=2
    ),
    "integers": lambda f, args: f.value_and_grad(*args[:3], np.arange(300), argnums=2),
    "other bytes": lambda f, args: f.value_and_grad(*args[:3], args[3].astype(">f8"), argnums=2),
    "columns first": lambda f, args: f.value_and_grad(
        args[0], np.asfortranarray(args[1]), *args[2:], argnums=2
    ),
    "with gaps": lambda f, args: f.value_and_grad(*args[:3], np.repeat(args[3], 2)[::2], argnums=2),
    "lists": lambda f, args: f.value_and_grad(*[each.tolist() for each in args], argnums=2),
    "a masked array": lambda f, args: f.value_and_grad(*args[:3], np.ma.array(args[3]), argnums=2),
    "another shape": lambda f, args: f.value_and_grad(np.ones(4), *args[1:], argnums=2),
    "other samples": lambda f, args: f.value_and_grad(*args[:3], args[3][1:], argnums=2),
    "no samples": lambda f, args: f.value_and_grad(*args[:3], 1.0, argnums=2),
    "rows": lambda f, args: f.value_and_grad(*args[:3], args[3][:, None], argnums=2),
    "out of another shape": lambda f, args: f.value_and_grad(
        *args, argnums=2, out=(np.empty(300), np.empty(299))
    ),
    "out of another type": lambda f, args: f.value_and_grad(
        *args, argnums=2, out=(np.empty(300), np.empty(300, np.float32))
    ),
    "out that is read-only": lambda f, args: f.value_and_grad(
        *args, argnums=2, out=(None, bad_out(300))
    ),
    "out that was broadcast": lambda f, args: f.value_and_grad(
        *args, argnums=2, out=(np.empty(300), broadcast_out(300))
    ),
    "out that is an argument": lambda f, args: f.value_and_grad(
        *args, argnums=2, out=(np.empty(300), args[2])
    ),
    "out that is one array": lambda f, args: f.value_and_grad(*args, argnums=2, out=np.empty(300)),
    "a direction that is not finite": lambda f, args: f.jvp(args, args[2] / 0.0, argnums=2),
    "a direction of another shape": lambda f, args: f.hvp(args, np.ones(299), argnums=2),
    "a direction too few": lambda f, args: f.jvp(args, ones(args)[:3]),
    "no primals": lambda f, args: f.hvp((), args[2]),
    "primals in a list": lambda f, args: f.jvp(list(args), list(ones(args))),
    "primals in an array": lambda f, args: f.jvp(np.ones(4), ones(args)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", ODD_CALLS)
def test_what_is_odd_is_left_to_python(name: str) -> None:
    apply, call = make(), ODD_CALLS[name]
    # Those kept are few: what the odd ones are nearly like is made last.
    for usual in [*CALLS, "jvp", "jvp of one", "hvp", "sum", "of a tuple", "gradient"]:
        CALLS[usual](apply, X300)
    found = outcome(lambda: call(apply, X300))
    assert found == outcome(lambda: call(make(), X300))


def test_a_list_of_argnums_may_change() -> None:
    argnums, apply = [0, 1], make()
    assert len(apply.value_and_grad(*X300, argnums=argnums)[1]) == 2
    argnums.append(2)
    found = apply.value_and_grad(*X300, argnums=argnums)
    assert same(found, make().value_and_grad(*X300, argnums=(0, 1, 2)))
