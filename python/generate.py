"""Makes what follows from the op table: ``python python/generate.py``.

With ``--check`` nothing is written: the files that are not what the table says are named, and the
exit status is 1 if there are any. The built module is asked, so build it first. A table that
changes the code of an operation is refused.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Union

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "zeroproof"
ORIGIN = "Made by python/generate.py from the op table."
#: The pages of the documentation that are made, and the scripts that say how.
PAGES = {"semantics.md": "semantics_page.py", "api.md": "api_page.py"}
Row = dict[str, Any]


def load(path: Path) -> ModuleType:
    """A module by its file."""
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def engine() -> ModuleType:
    """The native module by itself: the package may lack what is to be made."""
    package = importlib.util.find_spec("zeroproof")
    where = package.submodule_search_locations if package else None
    found = PathFinder.find_spec("zeroproof._native", where)
    if found is None or found.loader is None:
        raise SystemExit("zeroproof is not built: maturin develop -m rust/module/Cargo.toml")
    native = importlib.util.module_from_spec(found)
    found.loader.exec_module(native)
    return native


def op_type(table: list[Row]) -> str:
    """``OpType``."""
    members = "".join(
        f'    {row["name"].upper()} = {row["code"]}\n    """{row["formula"]}"""\n' for row in table
    )
    return f'''"""The operations by code. {ORIGIN}"""

from enum import IntEnum

__all__ = ["OpType"]


class OpType(IntEnum):
    """The operation that made a node. The codes are stable.

    Examples:
        >>> from zeroproof import OpType, TRNode
        >>> (1.0 / TRNode.parameter(2.0)).op is OpType.DIV
        True
    """

{members}'''


def changed_codes(before: str, after: str) -> list[str]:
    """The operations whose code is another one now, or gone, given two texts of ``OpType``."""
    member = re.compile(r"^    ([A-Z0-9_]+) = ([0-9]+)$", re.MULTILINE)
    codes = dict(member.findall(after))
    return [name for name, code in member.findall(before) if codes.get(name) != code]


def numerically(name: str) -> list[Union[int, str]]:
    """A key that puts log2 before log10, as sorted imports have it."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def imported(names: list[str], native: str, prefix: str) -> str:
    """Import statements that give the native functions their public names."""
    ordered = sorted(names, key=numerically)
    return "".join(f"from {native} import {prefix}{n} as tr_{n}\n" for n in ordered)


def listed(names: list[str]) -> str:
    """``__all__``."""
    return "__all__ = [\n" + "".join(f'    "{name}",\n' for name in sorted(names)) + "]\n"


def public(names: list[str]) -> list[str]:
    """The public names of operations."""
    return [f"tr_{name}" for name in names]


def in_kind(names: list[str]) -> str:
    """The functions that answer in the kind of their operands."""
    return f'''"""Every operation as a function that answers in the kind of its operands.

Numbers and TR scalars give a TR scalar; if there is a node among them, a node; an array, list or
tuple an array of objects, element by element. {ORIGIN}
"""

{imported(names, "._native", "_op_")}
{listed(public(names))}'''


def lifted(names: list[str]) -> str:
    """The functions that record a node."""
    return f'''"""Every operation on nodes: takes nodes, TR scalars or numbers and returns a node.

{ORIGIN}
"""

from .._enums import ReductionMode
{imported(names, ".._native", "_node_")}
{listed([*public(names), "ReductionMode"])}'''


def overloads(name: str, signatures: list[tuple[str, str]]) -> Iterator[str]:
    """The overloads of a function, by parameters and result."""
    for parameters, result in signatures:
        if len(signatures) > 1:
            yield "@overload"
        line = f"def {name}({parameters}) -> {result}: ..."
        if len(line) > 100:
            line = f"def {name}(\n    {parameters}\n) -> {result}: ..."
        yield line


MODE = "mode: Optional[ReductionMode] = None"
IN_KIND = {
    "unary": [
        ("a: TRNode, /", "TRNode"),
        ("a: Value, /", "TRScalar"),
        ("a: TRArray, /", "TRArray"),
        ("a: _Array, /", "_Objects"),
    ],
    "power": [
        ("a: TRNode, n: _Integer, /", "TRNode"),
        ("a: Value, n: _Integer, /", "TRScalar"),
        ("a: TRArray, n: _Integer, /", "TRArray"),
        ("a: _Array, n: Union[_Integer, _Array], /", "_Objects"),
        ("a: Operand, n: _Array, /", "_Objects"),
    ],
    "binary": [
        ("a: TRNode, b: Operand, /", "TRNode"),
        ("a: Value, b: TRNode, /", "TRNode"),
        ("a: Value, b: Value, /", "TRScalar"),
        ("a: TRArray, b: Union[Value, TRArray], /", "TRArray"),
        ("a: Value, b: TRArray, /", "TRArray"),
        ("a: TRArray, b: Union[TRNode, _Array], /", "Union[TRArray, _Objects]"),
        ("a: Union[TRNode, _Array], b: TRArray, /", "Union[TRArray, _Objects]"),
        ("a: _Array, b: Union[Operand, _Array], /", "_Objects"),
        ("a: Operand, b: _Array, /", "_Objects"),
    ],
    "variadic": [
        (f"values: Iterable[Value], {MODE}", "TRScalar"),
        (f"values: Iterable[TRNode], {MODE}", "TRNode"),
        (f"values: Iterable[Operand], {MODE}", "Union[TRScalar, TRNode]"),
    ],
}
LIFTED = {
    "unary": [("a: Operand, /", "TRNode")],
    "power": [("a: Operand, n: _Integer, /", "TRNode")],
    "binary": [("a: Operand, b: Operand, /", "TRNode")],
    "variadic": [(f"values: Iterable[Operand], {MODE}", "TRNode")],
}


def in_kind_stub(arities: dict[str, str]) -> str:
    """The types of :func:`in_kind`."""
    lines = [line for n in sorted(arities) for line in overloads(f"tr_{n}", IN_KIND[arities[n]])]
    return f'''"""Every operation as a function that answers in the kind of its operands.

{ORIGIN}
"""

from collections.abc import Iterable
from typing import Any, Optional, Union, overload

import numpy as np
import numpy.typing as npt

from ._enums import ReductionMode
from ._native import TRNode, TRScalar
from .array import TRArray
from .typing import Operand, Value

{listed(public(list(arities))).replace("__all__ =", "__all__: list[str] =", 1)}
_Array = Union[npt.NDArray[Any], list[Any], tuple[Any, ...]]
_Objects = npt.NDArray[np.object_]
_Integer = Union[int, np.integer[Any]]

''' + "".join(f"{line}\n" for line in lines)


def lifted_stub(arities: dict[str, str]) -> str:
    """The types of :func:`lifted`."""
    lines = [line for n in sorted(arities) for line in overloads(f"tr_{n}", LIFTED[arities[n]])]
    return f'''"""Every operation on nodes: takes nodes, TR scalars or numbers and returns a node.

{ORIGIN}
"""

from collections.abc import Iterable
from typing import Any, Optional, Union

import numpy as np

from .._enums import ReductionMode as ReductionMode
from .._native import TRNode
from ..typing import Operand

{listed([*public(list(arities)), "ReductionMode"])}
_Integer = Union[int, np.integer[Any]]

''' + "".join(f"{line}\n" for line in lines)


def surface(native: ModuleType) -> dict[Path, str]:
    """The files of the package."""
    table = native.op_table()
    arities = {row["name"]: row["arity"] for row in table if row["domain"] is not None}
    return {
        PACKAGE / "_op_type.py": op_type(table),
        PACKAGE / "_ops.py": in_kind(list(arities)),
        PACKAGE / "_ops.pyi": in_kind_stub(arities),
        PACKAGE / "autodiff" / "tr_ops_grad.py": lifted(list(arities)),
        PACKAGE / "autodiff" / "tr_ops_grad.pyi": lifted_stub(arities),
    }


def stale(files: dict[Path, str], write: bool) -> list[Path]:
    """The files that are not what they should be; made so on demand."""
    found = []
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(path)
            if write:
                path.write_text(text, encoding="utf-8")
    return found


def main(arguments: list[str]) -> int:
    """Writes or checks the files."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    write = not arguments
    files = surface(engine())
    codes = PACKAGE / "_op_type.py"
    if not codes.exists():
        raise SystemExit(f"{codes} is missing: it says which codes are given, restore it")
    before = codes.read_text(encoding="utf-8")
    if changed := changed_codes(before, files.get(codes, before)):
        print(f"codes stand in pickles and saved programs and never change: {', '.join(changed)}")
        return 1
    found = stale(files, write)
    if write or not found:
        # The pages show what the package has and what its operations return.
        pages = {
            ROOT / "docs" / name: load(Path(__file__).with_name(script)).page()
            for name, script in PAGES.items()
        }
        found += stale(pages, write)
    for path in found:
        print(f"{path.relative_to(ROOT)}: {'made anew' if write else 'stale'}")
    return 0 if write else int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
