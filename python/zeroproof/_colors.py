"""The colours of plots and graphs, distinguishable with colour blindness (Okabe and Ito)."""

from __future__ import annotations

from ._enums import GradientStatus, TRTag

__all__ = ["ORIGIN", "STATUS_COLORS", "TAG_COLORS", "most_severe"]

#: Light enough for black letters on them.
TAG_COLORS = {
    TRTag.REAL: "#e0e0e0",
    TRTag.PINF: "#e69f00",
    TRTag.NINF: "#56b4e9",
    TRTag.PHI: "#cc79a7",
}

STATUS_COLORS = {
    GradientStatus.EXACT: "#222222",
    GradientStatus.SATURATED: "#0072b2",
    GradientStatus.MASKED: "#8c8c8c",
    GradientStatus.DROPPED: "#d55e00",
}

#: The outline of a node that is not REAL although all of its inputs are.
ORIGIN = "#c00000"


def most_severe(status: GradientStatus) -> GradientStatus:
    """The flag that determines the colour of a gradient with this status."""
    for flag in GradientStatus.DROPPED, GradientStatus.MASKED, GradientStatus.SATURATED:
        if status & flag:
            return flag
    return GradientStatus.EXACT
