"""Rational models of several inputs and outputs, trained on data with poles."""

from .history import FitHistory
from .rational_model import RationalModel

__all__ = ["FitHistory", "RationalModel"]
