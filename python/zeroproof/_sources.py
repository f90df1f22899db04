"""What stands in the user's source at a place: an expression, its operands, where those come from.

Everything here is found by reading the source when somebody asks. What is not certain is left out: the
file may be gone, or a name may be assigned in several places.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from os.path import basename
from typing import Optional, Union

from ._enums import OpType

_OPERATORS: dict[str, type[ast.AST]] = {
    "ADD": ast.Add,
    "SUB": ast.Sub,
    "MUL": ast.Mult,
    "DIV": ast.Div,
    "NEG": ast.USub,
    "POW_INT": ast.Pow,
    "POW": ast.Pow,
}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPE = (*_FUNCTION, ast.ClassDef)
#: Longer expressions are cut.
_LONGEST = 60

Operation = Union[ast.expr, ast.AugAssign]


@dataclass(frozen=True)
class Location:
    """A place in a program.

    Args:
        file: the file as the interpreter knows it.
        line: the line, counted from 1.
        function: the qualified name of the function, ``<module>`` outside of one; the plain name
            before Python 3.11.
        first_line: where the function begins.
        span: the last line, first and last column (in bytes) of the expression, from Python 3.11 on.
    """

    file: str
    line: int
    function: str
    first_line: int = 1
    span: Optional[tuple[int, int, int]] = None

    def __str__(self) -> str:
        return f"{basename(self.file)}:{self.line}"


@dataclass(frozen=True)
class Expression:
    """An operation as the source has it.

    Args:
        text: the source, on one line.
        names: of each operand the variable that it is; None where it is something else.
        origins: of each operand that is a variable assigned in one place only the line of that.
    """

    text: str
    names: tuple[Optional[str], ...]
    origins: tuple[Optional[int], ...]


def expression_at(location: Location, op: OpType) -> Optional[Expression]:
    """The operation at a place, if the source tells it for certain."""
    source = "".join(linecache.getlines(location.file))
    tree = _parsed(source)
    if tree is None:
        return None
    found = _operation(tree, location, op)
    text = found and ast.get_source_segment(source, found)
    if found is None or not text:
        return None
    text = " ".join(text.split())
    operands = _operands(found)
    names = tuple(operand.id if isinstance(operand, ast.Name) else None for operand in operands)
    scopes = _scopes(tree, location)
    origins = tuple(name and _assigned(name, scopes, location.line) for name in names)
    return Expression(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…", names, origins)


@lru_cache(maxsize=16)
def _parsed(source: str) -> Optional[ast.Module]:
    try:
        return ast.parse(source) if source else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _operation(tree: ast.Module, location: Location, op: OpType) -> Optional[Operation]:
    """The only operation of this kind at the place."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.expr, ast.AugAssign)) and _is_op(node, op):
            end = (node.end_lineno, node.col_offset, node.end_col_offset)
            if location.span is None:
                here = node.lineno <= location.line <= (node.end_lineno or node.lineno)
            else:
                here = node.lineno == location.line and end == location.span
            if here:
                found.append(node)
    return found[0] if len(found) == 1 else None


def _is_op(node: Operation, op: OpType) -> bool:
    if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.AugAssign)):
        return type(node.op) is _OPERATORS.get(op.name)
    if isinstance(node, ast.Call):
        function = node.func
        name = getattr(function, "attr", None) or getattr(function, "id", "")
        wanted = op.name.lower()
        return name in (wanted, f"tr_{wanted}")
    return False


def _operands(node: Operation) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return [node.target, node.value]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    return list(node.args) if isinstance(node, ast.Call) else []


def _scopes(tree: ast.Module, location: Location) -> list[ast.AST]:
    """The function at the place, if there is only one, and the module around it."""
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTION)
        and node.lineno <= location.line <= (node.end_lineno or node.lineno)
        and location.first_line
        in (node.lineno, *(d.lineno for d in getattr(node, "decorator_list", [])))
    ]
    if location.function == "<module>":
        return [tree]
    return [functions[0], tree] if len(functions) == 1 else []


def _assigned(name: str, scopes: list[ast.AST], before: int) -> Optional[int]:
    """The line of the only assignment to a variable, in the innermost scope that has any."""
    for scope in scopes:
        if isinstance(scope, _FUNCTION) and name in _parameters(scope):
            return None
        lines = {line for bound, line in _bindings(scope) if bound == name}
        if lines:
            (line, *others) = lines
            return None if others or line == before else line
    return None


def _parameters(function: Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]) -> set[str]:
    every = function.args
    plain = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
    return {argument.arg for argument in plain if argument is not None}


def _bindings(scope: ast.AST) -> Iterator[tuple[str, int]]:
    """The names that a scope binds, and where; nested scopes have their own."""
    rest = list(ast.iter_child_nodes(scope))
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from ((name, -node.lineno) for name in node.names)
        if not isinstance(node, _SCOPE):
            rest.extend(ast.iter_child_nodes(node))
