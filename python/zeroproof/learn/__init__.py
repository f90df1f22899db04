"""``zeroproof learn``: fits y = P(x)/Q(x) to data with poles, with the autodiff engine."""

from .data import Dataset, InputError, read_csv
from .model import Rational
from .robotics import two_link_arm
from .train import Fit, train

__all__ = ["Dataset", "Fit", "InputError", "Rational", "read_csv", "train", "two_link_arm"]
