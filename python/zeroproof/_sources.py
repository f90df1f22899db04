"""The user's source at a place: an expression, its operands, and where those are assigned.

The source is read when an explanation is shown. Ambiguous information is left out: the file may
have changed or no longer exist, or a name may be assigned in several places.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from os.path import basename
from typing import Optional, Union

from ._deprecation import warn_renamed
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
#: The names of the code objects of comprehensions, in interpreters that compile them separately.
_COMPREHENSIONS: dict[type[ast.AST], str] = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}
_NAMED_SCOPE = (*_FUNCTION, ast.ClassDef)
_SCOPE = (*_NAMED_SCOPE, *_COMPREHENSIONS, ast.Module)
#: What assigns to variables of other scopes.
_ELSEWHERE = (ast.Global, ast.Nonlocal)
#: Longer expressions are cut.
_LONGEST = 60

Operation = Union[ast.expr, ast.AugAssign]
#: The scopes around a piece of source, the innermost first.
Scopes = tuple[ast.AST, ...]


@dataclass(frozen=True)
class Location:
    """A place in a program.

    Args:
        file: the file as the interpreter knows it.
        line: the line, counted from 1.
        function: the qualified name of the function, ``<module>`` outside of one; the plain name
            before Python 3.11.
        first_line: where the function begins.
        span: the last line, first and last column (in bytes) of the expression, from Python 3.11
            on.

    Examples:
        >>> from zeroproof import TRNode
        >>> def recip(x):
        ...     return 1.0 / x
        >>> recip(TRNode.parameter(0.0)).explain().origins[0].location.function
        'recip'
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
    """An operation in the source.

    Args:
        text: the source, on one line.
        names: for each operand its name, if it is a variable; None otherwise.
        assigned_at: for each operand the line of its assignment, if it is a variable with only one.
    """

    text: str
    names: tuple[Optional[str], ...]
    assigned_at: tuple[Optional[int], ...]

    @property
    def origins(self) -> tuple[Optional[int], ...]:
        """The old name of ``assigned_at``, deprecated."""
        warn_renamed("Expression.origins", "assigned_at")
        return self.assigned_at


def expression_at(location: Location, op: OpType) -> Optional[Expression]:
    """The operation at a place; None if it is ambiguous or the source is not available."""
    try:
        lines = linecache.getlines(location.file)
    except (SyntaxError, UnicodeDecodeError):
        return None  # no text: before Python 3.10 linecache says so
    source = _parsed("".join(lines))
    return None if source is None else _expression(source, location, op)


@dataclass(frozen=True, eq=False)
class _Source:
    text: str
    tree: ast.Module


@lru_cache(maxsize=16)
def _parsed(text: str) -> Optional[_Source]:
    try:
        return _Source(text, ast.parse(text)) if text else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=256)
def _expression(source: _Source, location: Location, op: OpType) -> Optional[Expression]:
    found = _operation(source.tree, location, op)
    if found is None:
        return None
    operation, scopes = found
    text = _text(source.text, operation)
    operands = _operands(operation) if _is_op(operation, op) else []
    names = tuple(operand.id if isinstance(operand, ast.Name) else None for operand in operands)
    assigned_at = tuple(
        _assigned(name, source.tree, scopes, location.line) if name else None for name in names
    )
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return Expression(shown, names, assigned_at)


def _text(source: str, operation: Operation) -> str:
    if operation.end_lineno == operation.lineno:
        return ast.get_source_segment(source, operation) or ""
    return " ".join(ast.unparse(operation).split())  # without comments


def _operation(
    tree: ast.Module, location: Location, op: OpType
) -> Optional[tuple[Operation, Scopes]]:
    """The only operation at the place; where columns are not known, the only one of this kind."""
    found = []
    for node, around in _with_scopes(tree):
        if not isinstance(node, (ast.expr, ast.AugAssign)) or node.lineno != location.line:
            continue
        here = _is_op(node, op)
        if location.span is not None:
            extent = (node.end_lineno, node.col_offset, node.end_col_offset)
            here = extent == location.span and (here or isinstance(node, ast.Call))
        scopes = _scopes_of_code(around, location) if here else ()
        if scopes:
            found.append((node, scopes))
    return found[0] if len(found) == 1 else None


def _with_scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, Scopes]]:
    """Every node, with the scopes in which its code runs."""
    rest: list[tuple[ast.AST, Scopes]] = [(tree, ())]
    while rest:
        node, around = rest.pop()
        yield node, around
        inside = (node, *around) if isinstance(node, _SCOPE) else around
        for field, value in ast.iter_fields(node):
            # Decorators, default values and bases run where the function or class is defined.
            outside = isinstance(node, _NAMED_SCOPE) and field != "body"
            children = value if isinstance(value, list) else [value]
            scopes = around if outside else inside
            rest.extend((child, scopes) for child in children if isinstance(child, ast.AST))


def _scopes_of_code(around: Scopes, location: Location) -> Scopes:
    """The scopes from that of the running code on; none if that is not the one at the place."""
    name = location.function.rpartition(".")[2]
    if name not in _COMPREHENSIONS.values():
        # Newer interpreters run most comprehensions as a part of the code around them, and all
        # interpreters the iterable of the first loop.
        while around and type(around[0]) in _COMPREHENSIONS:
            around = around[1:]
    return around if around and _is_code(around[0], name, location.first_line) else ()


def _is_code(scope: ast.AST, name: str, first_line: int) -> bool:
    if isinstance(scope, ast.Module):
        return name == "<module>" or name.startswith("<cell line")  # as notebooks call it
    if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        first = scope.decorator_list[0] if scope.decorator_list else scope
        return scope.name == name and first.lineno == first_line
    known = _COMPREHENSIONS.get(type(scope), "<lambda>")
    return name == known and getattr(scope, "lineno", 0) == first_line


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


def _assigned(name: str, tree: ast.Module, scopes: Scopes, before: int) -> Optional[int]:
    """The line of the only assignment to a variable, in the innermost scope that has any."""
    if any(name in node.names for node in ast.walk(tree) if isinstance(node, _ELSEWHERE)):
        return None
    for place, scope in enumerate(scopes):
        if place > 0 and isinstance(scope, ast.ClassDef):
            continue  # not seen from its functions
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
    """The names that a scope binds, and where; nested functions and classes have their own."""
    rest = list(ast.iter_child_nodes(scope))
    while rest:
        node = rest.pop()
        name = _bound(node)
        if name:
            yield name, getattr(node, "lineno", 0)
        if not isinstance(node, _NAMED_SCOPE):
            rest.extend(ast.iter_child_nodes(node))


def _bound(node: ast.AST) -> Optional[str]:
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, ast.alias):
        return (node.asname or node.name).partition(".")[0]
    # Functions, classes, caught exceptions and patterns.
    name = getattr(node, "name", None) or getattr(node, "rest", None)
    return name if isinstance(name, str) else None
