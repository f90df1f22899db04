"""Plots: a function through its poles, and the statistics of a training run.

Drawing needs matplotlib (``pip install 'zeroproof-autodiff[plot]'``); importing this module does
not. Each function draws into the given Figure, or into a new one, and returns it. A new Figure
has no window: save it with ``figure.savefig``, or let a notebook display it. For a window, pass
``figure=plt.figure(layout="constrained")`` and call ``plt.show()``.
"""

from ._history import history
from ._modes import modes

__all__ = ["history", "modes"]
