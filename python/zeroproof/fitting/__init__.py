"""Models fitted to data by least squares."""

from ._result import FitResult
from .least_squares import least_squares

__all__ = ["FitResult", "least_squares"]
