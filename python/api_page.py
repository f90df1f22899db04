"""The API reference, ``docs/api.md``: every public name with the first sentence of its docstring.

``python/generate.py`` writes it.
"""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType
from typing import Any

import zeroproof

INTRODUCTION = """\
# API reference

Every public name and what it is for, made from the docstrings; `help(name)` shows the whole text,
with arguments, results and errors. Operations have [a page of their own](semantics.md).

```python
import zeroproof

print(zeroproof.tr_log.__doc__.splitlines()[0])
```

```text
ln a for a > 0, else Φ.
```
"""

#: The modules in reading order, and what a reader finds there.
MODULES = {
    "zeroproof": "What most programs need.",
    "zeroproof.autodiff": "The parts of differentiation that the package does not export.",
    "zeroproof.optim": "Optimizers, for the [training loop](training.md).",
    "zeroproof.models": "Models to train, for the [guide to rational models](models.md).",
    "zeroproof.rational": "What [fits of rational functions](rational.md) consist of.",
    "zeroproof.plot": "Plots; needs matplotlib, the extra `plot`.",
}


def summary(value: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    text = inspect.getdoc(value) or ""
    line = " ".join(text.split("\n\n", 1)[0].split())
    return re.sub(r":\w+:(?=`)", "", line).replace("``", "`").replace("|", "\\|")


def section(module: ModuleType, known: set[str]) -> list[str]:
    """The names of a module that are neither operations nor known already."""
    names = [name for name in sorted(module.__all__, key=str.lower) if name not in known]
    lines = [f"## `{module.__name__}`", "", MODULES[module.__name__], ""]
    lines += ["| name | |", "| --- | --- |"]
    lines += [f"| `{name}` | {summary(getattr(module, name))} |" for name in names]
    return [*lines, ""]


def page() -> str:
    """The text of the page."""
    known = set(zeroproof._ops.__all__)
    lines = [INTRODUCTION]
    for name in MODULES:
        module = importlib.import_module(name)
        lines += section(module, known)
        known |= set(module.__all__)
    return "\n".join(lines).rstrip() + "\n"
