"""Optimizers that know the status of a gradient: SGD and Adam.

They update parameters of nodes and arrays in place, and report how many elements a step updated,
which it skipped, and how many gradients were masked, dropped or saturated. No step writes a value
that is not REAL.
"""

from .adam import Adam
from .base import Optimizer
from .report import StepReport
from .sgd import SGD

__all__ = ["Adam", "Optimizer", "SGD", "StepReport"]
