"""Between IEEE doubles and transreal values.

The tag of a TR value is the class of its double, so both maps are bijections up to the payload of a
NaN: finite ↔ REAL, ``inf`` ↔ +∞, ``-inf`` ↔ −∞, any NaN ↔ Φ. The sign of zero is kept.
"""

from typing import Any, Union, overload

import numpy as np
import numpy.typing as npt

from ._native import TRScalar, scalars_from_doubles
from .typing import Value

__all__ = ["from_ieee", "to_ieee"]

ObjectArray = npt.NDArray[np.object_]
DoubleArray = npt.NDArray[np.float64]


@overload
def from_ieee(x: npt.NDArray[Any]) -> ObjectArray: ...
@overload
def from_ieee(x: Value) -> TRScalar: ...
def from_ieee(x: Union[Value, npt.NDArray[Any]]) -> Union[TRScalar, ObjectArray]:
    """The TR value of a double.

    Args:
        x: a number, or an array of real numbers of any shape.

    Returns:
        A TRScalar, or an object array of TRScalars of the same shape.

    Raises:
        TypeError: for anything that is not real-valued.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import from_ieee
        >>> from_ieee(float("nan"))
        TRScalar(Φ)
        >>> from_ieee(np.array([1.0, -np.inf]))
        array([TRScalar(1.0), TRScalar(−∞)], dtype=object)
    """
    if not isinstance(x, np.ndarray):
        return TRScalar(x)
    scalars = np.empty(x.size, dtype=object)
    scalars[:] = scalars_from_doubles(_as_doubles(x).ravel().tolist())
    return scalars.reshape(x.shape)


@overload
def to_ieee(x: npt.NDArray[Any]) -> DoubleArray: ...
@overload
def to_ieee(x: Value) -> float: ...
def to_ieee(x: Union[Value, npt.NDArray[Any]]) -> Union[float, DoubleArray]:
    """The double of a TR value: ``inf``, ``-inf`` and NaN for +∞, −∞ and Φ.

    Args:
        x: a TRScalar or number, or an array of them of any shape.

    Returns:
        A float, or a float64 array of the same shape.

    Examples:
        >>> import numpy as np
        >>> from zeroproof import phi, pinf, to_ieee
        >>> to_ieee(pinf())
        inf
        >>> to_ieee(np.array([pinf(), phi()]))
        array([inf, nan])
    """
    if not isinstance(x, np.ndarray):
        return float(TRScalar(x))
    return _as_doubles(x)


def _as_doubles(x: npt.NDArray[Any]) -> DoubleArray:
    if x.dtype.kind == "O":
        items = [float(TRScalar(item)) for item in x.flat]
        return np.array(items, dtype=np.float64).reshape(x.shape)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"expected an array of real numbers, not of {x.dtype}")
    # Narrowing may overflow, and a signalling NaN is as good as any: neither is an error here.
    with np.errstate(all="ignore"):
        return x.astype(np.float64)
