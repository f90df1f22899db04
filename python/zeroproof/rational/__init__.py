"""Rational functions fitted to data: values with poles, and how well the data determine them."""

from ._record import Coefficients, FitRecord, StandardErrors
from .fit import fit_rational
from .model import Rational

__all__ = ["Coefficients", "FitRecord", "Rational", "StandardErrors", "fit_rational"]
