"""How much longer than usual tests may take."""

from __future__ import annotations

import os

#: How many times as long; `tests/sanitize.sh` sets it, since sanitizers slow everything down.
SLOWDOWN = float(os.environ.get("SLOWDOWN", "1"))
