"""The terms of a polynomial in several inputs: products of factors, up to a total degree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional, Union

from .._native import TRNode
from ..autodiff.tr_ops_grad import tr_cos, tr_sin

__all__ = ["FAMILIES", "Basis", "Factor", "Features", "Term", "factors_of"]

FAMILIES = ("polynomial", "chebyshev", "trigonometric")

#: A name for all inputs or one for each; a function of all inputs, or a list of such functions.
Features = Union[str, Callable[..., Any], Sequence[Union[str, Callable[..., Any]]]]

#: A variable, a degree in it, and which of the functions of that degree.
Factor = tuple[int, int, int]
#: The factors of a product; none for the constant term.
Term = tuple[Factor, ...]

#: More terms than this in a numerator or denominator are a mistake in the degree.
MOST_TERMS = 100_000


class Basis:
    """The variables of a model, their functions of each degree, and the products of these.

    A variable of the family "polynomial" has the powers u, u², …; one of "chebyshev" the Chebyshev
    polynomials T₁, T₂, …; one of "trigonometric" cos ku and sin ku as its two functions of degree
    k. With functions of the user's own, what they return are the variables, of which powers are
    taken.

    Args:
        inputs: how many.
        features: as for ``RationalModel``, checked.
    """

    def __init__(self, inputs: int, features: Features) -> None:
        self.inputs = inputs
        self.families: Optional[tuple[str, ...]] = None
        self.functions: tuple[Callable[..., Any], ...] = ()
        self._is_single = callable(features)
        if isinstance(features, str):
            features = [features] * inputs
        if callable(features):
            self.functions = (features,)
        else:
            items = list(features)
            if all(isinstance(item, str) for item in items):
                self.families = tuple(str(item) for item in items)
            else:
                self.functions = tuple(item for item in items if callable(item))
        self.variables = inputs if self.families is not None else self._probe()

    def _probe(self) -> int:
        """How many features the functions give, found by calling them once."""
        # A generic point: at 0 or 1 a function of the user's could be at a pole.
        point = [TRNode.constant(0.31 + 0.17 * place) for place in range(self.inputs)]
        return len(self._called(point))

    def _called(self, inputs: Sequence[Any]) -> list[Any]:
        if not self._is_single:
            return [function(*inputs) for function in self.functions]
        [function] = self.functions
        result = function(*inputs)
        if not hasattr(result, "__len__") or not len(result):
            raise TypeError(
                "features must return a sequence of features, at least one, not "
                f"{type(result).__name__}: for a single feature pass features=[function]"
            )
        return list(result)

    def terms(self, degree: int, among: Sequence[int]) -> tuple[Term, ...]:
        """All products of functions of these variables up to a total degree, constant first.

        Raises:
            ValueError: if there are more than 100,000.
        """
        found: list[Term] = []
        for total in range(degree + 1):
            for term in self._of_degree(total, tuple(among)):
                found.append(term)
                if len(found) > MOST_TERMS:
                    raise ValueError(
                        f"degree {degree} in {len(among)} variables has more than {MOST_TERMS} "
                        "terms: choose a smaller degree, or fewer features"
                    )
        return tuple(found)

    def _of_degree(self, total: int, among: tuple[int, ...]) -> Iterator[Term]:
        if total == 0:
            yield ()
            return
        for place, variable in enumerate(among):
            # Nothing is left for others after the last one.
            least = 0 if place + 1 < len(among) else total - 1
            for degree in range(total, least, -1):
                for which in range(self._functions_of(variable)):
                    for rest in self._of_degree(total - degree, among[place + 1 :]):
                        yield ((variable, degree, which), *rest)

    def _functions_of(self, variable: int) -> int:
        return 2 if self.families and self.families[variable] == "trigonometric" else 1

    def variables_at(self, inputs: Sequence[Any]) -> list[Any]:
        """The variables at these inputs."""
        return list(inputs) if self.families is not None else self._called(inputs)

    def values(self, terms: Sequence[Term], variables: Sequence[Any]) -> list[Any]:
        """The terms at these variables: the constant as 1.0, products of few steps."""
        factors = factors_of(self.families, variables)
        known: dict[Term, Any] = {(): 1.0}

        def product(term: Term) -> Any:
            value = known.get(term)
            if value is None:
                value = factors(term[-1])
                if len(term) > 1:
                    value = product(term[:-1]) * value
                known[term] = value
            return value

        return [product(term) for term in terms]


def factors_of(
    families: Optional[Sequence[str]], variables: Sequence[Any]
) -> Callable[[Factor], Any]:
    """A function that computes each factor once."""
    known: dict[Factor, Any] = {}

    def factor(key: Factor) -> Any:
        value = known.get(key)
        if value is None:
            value = known[key] = compute(*key)
        return value

    def compute(variable: int, degree: int, which: int) -> Any:
        family = families[variable] if families is not None else "polynomial"
        u = variables[variable]
        if family == "trigonometric":
            angle = u if degree == 1 else float(degree) * u
            return tr_sin(angle) if which else tr_cos(angle)
        if degree == 1:
            return u
        before = factor((variable, degree - 1, 0))
        if family == "polynomial":
            return before * u
        twice = 2.0 * (u * before)
        return twice - (factor((variable, degree - 2, 0)) if degree > 2 else 1.0)

    return factor
