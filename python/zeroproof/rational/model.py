"""A rational function: values, poles, zeros, coefficients, and how well the data determine them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from .._arrays import Array
from .._native import Tracer, TRNode, TRScalar
from ..array import TRArray
from ._chebyshev import Interval, clenshaw, slope
from ._estimates import Powers, Roots, lengths, poles_and_residues, powers, value_errors, zeros
from ._fields import fields_of
from ._json import dumped, loaded
from ._plot import draw
from ._record import Coefficients, Complex, FitRecord, StandardErrors
from ._source import python_source
from ._table import table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Rational"]


@dataclass(frozen=True, eq=False)
class Rational:
    """A rational function ``P(x)/Q(x)``, as :func:`fit_rational` returns it.

    It is called on numbers, arrays, TR scalars, nodes and tracers, and answers in their kind; of
    plain numbers and arrays in doubles, where ``inf``, ``-inf`` and NaN stand for +∞, −∞ and Φ. All
    kinds give the same bits. P and Q are sums of Chebyshev polynomials of
    ``u = (x − centre)/half``, which is in [−1, 1] on the data.

    Args:
        numerator: the coefficients of P in T₀(u), T₁(u), ….
        denominator: those of Q.
        interval: the ends of the range of the data, where u is −1 and 1.
        order: the function is P/Q^order; more than 1 for derivatives.
        spread: a matrix whose product with its transpose is the covariance of the coefficients of P
            and Q, or None.
        record: how the fit came about, or None.

    Raises:
        ValueError: for coefficients that are not finite, a Q that is 0, or an empty interval.

    Examples:
        >>> from zeroproof.rational import Rational
        >>> f = Rational([1.0], [0.0, 1.0], (-1.0, 1.0))
        >>> f(2.0), f(0.0), f.poles, f.residues
        (0.5, inf, array([0.+0.j]), array([1.+0.j]))
        >>> f.derivative()(2.0)
        -0.25
        >>> print(f.summary())
        Rational function of degree 0/1 on [-1, 1]
        <BLANKLINE>
        numerator    1  1
        denominator  1  0
                     x  1
        poles        0  residue 1
        >>> f.to_python().splitlines()[0]
        'def rational(x):'
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     f.save(Path(folder, "f.json"))
        ...     same = Rational.load(Path(folder, "f.json"))
        >>> same(2.0)
        0.5
    """

    numerator: Array
    denominator: Array
    interval: tuple[float, float]
    order: int = 1
    spread: Optional[Array] = field(default=None, repr=False)
    record: Optional[FitRecord] = field(default=None, repr=False)
    _data: Optional[tuple[Array, Array, Array]] = field(default=None, repr=False)
    _frame: Optional[Interval] = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("numerator", "denominator"):
            given = np.array(getattr(self, name), np.float64)
            if given.ndim != 1 or not len(given) or not np.isfinite(given).all():
                raise ValueError(f"{name} must be a list of finite coefficients, not empty")
            given.flags.writeable = False
            object.__setattr__(self, name, given)
        if not self.denominator.any():
            raise ValueError("denominator has no coefficient that is not 0")
        low, high = (float(end) for end in self.interval)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"interval must be two numbers (low, high), not {self.interval}")
        object.__setattr__(self, "interval", (low, high))
        if self._frame is None:
            object.__setattr__(self, "_frame", Interval.of(np.array([low, high])))

    # Values

    def __call__(self, x: Any) -> Any:
        """The value at x: a float, an array of doubles, a TR scalar, TRArray, node or tracer."""
        if isinstance(x, (TRNode, Tracer, TRScalar, TRArray)):
            return self._value(x)
        given = np.asarray(x)
        if given.dtype == object and given.size and not _numbers(given):
            return self._value(given)
        with np.errstate(all="ignore"):
            value = self._value(np.asarray(given, np.float64))
        return float(value) if given.ndim == 0 else np.asarray(value, np.float64)

    def _value(self, x: Any) -> Any:
        u = self._units.to_u(x)
        bottom = power = clenshaw(self.denominator, u)
        for _ in range(self.order - 1):
            power = power * bottom
        return clenshaw(self.numerator, u) / power

    @property
    def _units(self) -> Interval:
        assert self._frame is not None
        return self._frame

    def standard_error(self, x: Any) -> Any:
        """The standard error of the value at numbers x: a float or an array.

        NaN if there is no covariance.

        Examples:
            >>> import numpy as np
            >>> from zeroproof import fit_rational
            >>> x = np.linspace(1.0, 2.0, 40)
            >>> fit = fit_rational(x, 1.0 / x + 1e-3 * np.cos(40.0 * x), degree=(0, 1))
            >>> 1e-5 < fit.standard_error(1.5) < 1e-3
            True
        """
        given = np.asarray(x, np.float64)
        with np.errstate(all="ignore"):
            u = np.asarray(self._units.to_u(given), np.float64).reshape(-1)
            found = value_errors(self.numerator, self.denominator, u, self.spread)
        return float(found[0]) if given.ndim == 0 else found.reshape(given.shape)

    def derivative(self) -> Rational:
        """The derivative by x, without standard errors.

        Raises:
            OverflowError: if it leaves the range of doubles.
        """
        p, q = self.numerator, self.denominator
        with np.errstate(all="ignore"):
            top = chebyshev.chebsub(
                chebyshev.chebmul(slope(p), q), self.order * chebyshev.chebmul(p, slope(q))
            )
            top = np.asarray(top, np.float64) / self._units.half
        if not np.isfinite(top).all():
            raise OverflowError("the derivative leaves the range of doubles: fit x in another unit")
        return Rational(
            top,
            q,
            self.interval,
            self.order + 1,
            _frame=self._frame,
        )

    # Coefficients, poles, zeros

    @property
    def degree(self) -> tuple[int, int]:
        """The degrees of numerator and denominator."""
        return len(self.numerator) - 1, self.order * (len(self.denominator) - 1)

    @property
    def chebyshev(self) -> Coefficients:
        """The coefficients in T₀(u), T₁(u), …, those of Q at norm 1."""
        return Coefficients(self.numerator, self.denominator)

    @property
    def coefficients(self) -> Coefficients:
        """The coefficients of 1, x, x², …, with the constant of the denominator 1.

        With a pole at x = 0 it is the coefficient of the largest term that is 1. Each is the exact
        value for the coefficients in the Chebyshev basis, rounded once. At high degrees they
        determine the function badly; the Chebyshev coefficients do not.

        Raises:
            OverflowError: for a derivative, if the power of Q leaves the range of doubles.
        """
        return Coefficients(self._powers.numerator, self._powers.denominator)

    @property
    def covariance(self) -> Array:
        """The covariance of ``coefficients``, those of the numerator first, without the one fixed.

        Raises:
            ValueError: without a covariance: for a derivative, or a function that was not fitted.
        """
        if self._powers.root is None:
            raise ValueError(
                "there is no covariance: the function is not fitted, or has no degrees of freedom"
            )
        root = np.delete(self._powers.root, len(self._powers.numerator) + self._powers.fixed, 0)
        return np.asarray(root @ root.T, np.float64)

    @property
    def poles(self) -> Complex:
        """The roots of Q: real ones in ascending order, then conjugate pairs."""
        return np.repeat(self._poles.places, self.order)

    @property
    def residues(self) -> Complex:
        """The residue at each of the poles; not finite at a double root of Q."""
        if self.order > 1:  # what is a derivative has no 1/(x − pole)
            return np.zeros(len(self.poles), np.complex128)
        return self._poles.residues

    @property
    def zeros(self) -> Complex:
        """The roots of P: real ones in ascending order, then conjugate pairs."""
        return self._zeros.places

    @property
    def real_poles(self) -> Array:
        """The real poles, in ascending order."""
        places = self.poles
        return np.asarray(places.real[places.imag == 0.0], np.float64)

    @property
    def stderr(self) -> StandardErrors:
        """The standard errors of coefficients, poles, residues and zeros, by the delta method.

        For poles, residues and zeros the real part is the standard error of the real part, and the
        imaginary part that of the imaginary part. A coefficient that is fixed at 1 has 0, as does a
        pole that the data state. NaN without a covariance.
        """
        powers, count, split = self._powers, len(self._powers.numerator), len(self.numerator)
        in_x = _lengths(powers.root, count + len(powers.denominator))
        basis = _lengths(self.spread, split + len(self.denominator))
        return StandardErrors(
            Coefficients(in_x[:count], in_x[count:]),
            Coefficients(basis[:split], basis[split:]),
            np.repeat(self._poles.place_errors, self.order),
            self._poles.residue_errors if self.order == 1 else np.zeros_like(self.residues),
            self._zeros.place_errors,
        )

    @cached_property
    def _powers(self) -> Powers:
        bottom: Any = self.denominator
        with np.errstate(all="ignore"):
            for _ in range(self.order - 1):
                bottom = chebyshev.chebmul(bottom, self.denominator)
        if not np.isfinite(bottom).all():
            raise OverflowError("the power of Q leaves the range of doubles: fit y in another unit")
        return powers(self.numerator, np.asarray(bottom), self._units, self.spread)

    @cached_property
    def _poles(self) -> Roots:
        return poles_and_residues(self.numerator, self.denominator, self._units, self.spread)

    @cached_property
    def _zeros(self) -> Roots:
        return zeros(self.numerator, self.denominator, self._units, self.spread)

    # The fit

    @property
    def sse(self) -> float:
        """The sum of the squared residuals, divided by σ where it was given; NaN without a fit."""
        return self.record.sse if self.record else float("nan")

    @property
    def dof(self) -> int:
        """The degrees of freedom: rows less parameters; 0 without a fit."""
        return self.record.dof if self.record else 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the fit, in sentences; empty if nothing is."""
        return self.record.warnings if self.record else ()

    def summary(self) -> str:
        """A table of the fit: coefficients, poles and residues, zeros, each ± standard error."""
        return table(
            self.degree,
            self.interval,
            self.record,
            self.coefficients,
            self._powers.exact,
            self.stderr,
            self.poles,
            self.residues,
            self.zeros,
        )

    def plot(self, *, figure: Optional[Figure] = None) -> Figure:
        """Draws the data, the function with gaps at its poles, and the residuals.

        Args:
            figure: the matplotlib Figure to draw into; a new one by default.

        Returns:
            The Figure.

        Raises:
            ImportError: without matplotlib.
            TypeError: if ``figure`` is not a Figure.
        """
        record = self.record
        label = "residual / σ" if record is not None and record.sigma_given else "residual"
        return draw(self, self.interval, self.real_poles, self._data, label, figure)

    # Files

    def save(self, path: Union[str, PathLike[str]]) -> None:
        """Writes the function and its statistics as JSON; the data are not written.

        Raises:
            OSError: if the file cannot be written.
        """
        Path(path).write_text(self._as_json(), encoding="utf-8")

    def _as_json(self) -> str:
        """The text that :meth:`save` writes."""
        record = None
        if self.record is not None:
            record = {name: getattr(self.record, name) for name in RECORD_FIELDS}
        fields = {
            "numerator": self.numerator,
            "denominator": self.denominator,
            "interval": self.interval,
            "centre": self._units.centre,
            "half": self._units.half,
            "order": self.order,
            "spread": self.spread,
            "fit": record,
        }
        return dumped(fields)

    @classmethod
    def load(cls, path: Union[str, PathLike[str]]) -> Rational:
        """Reads what :meth:`save` wrote; values and statistics are the same bits.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if it was not written by :meth:`save`, by a later version, or is damaged;
                the error names the place.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not text, so it is no saved Rational") from None
        return cls._of_json(text, str(path))

    @classmethod
    def _of_json(cls, text: str, origin: str) -> Rational:
        """The function of a text; ``origin`` is where it comes from, for errors."""
        content = loaded(text, origin)
        try:
            fields = fields_of(content)
            return cls(
                fields.numerator,
                fields.denominator,
                fields.interval,
                fields.order,
                spread=fields.spread,
                record=fields.record,
                _frame=fields.frame,
            )
        except ValueError as error:
            raise ValueError(f"{origin} is no complete Rational: {error}") from None

    def to_python(self, name: str = "rational") -> str:
        """The source text of a Python function that computes the values, without this package.

        Raises:
            ValueError: if ``name`` is not an identifier.
        """
        low, high = self.interval
        title = f"A rational function of degree {self.degree}, fitted on [{low!r}, {high!r}]."
        return python_source(name, title, self.numerator, self.denominator, self.order, self._units)


RECORD_FIELDS = tuple(FitRecord.__dataclass_fields__)


def _lengths(root: Optional[Array], size: int) -> Array:
    """The lengths of the rows; NaN without a matrix."""
    if root is None:
        return np.full(size, np.nan)
    return lengths(root)


def _numbers(objects: npt.NDArray[Any]) -> bool:
    kinds: Sequence[type] = (int, float, np.number)
    return all(isinstance(each, tuple(kinds)) for each in objects.flat)
