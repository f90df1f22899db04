"""Every Python example of the README and the guides runs and prints what it says."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: The last one holds what the benchmarks print.
WITHOUT_EXAMPLES = {"architecture.md", "index.md", "performance.md"}
EXAMPLE = re.compile(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)
#: The last digits that LAPACK gives, which differ between builds, decide on the last step of a fit.
ITERATIONS = re.compile(r"\(\d+ iterations\)")
#: The packages that a page's examples need besides those of the tests.
NEEDED = {"jax.md": ("jax", "optax"), "onnx.md": ("onnx",), "torch.md": ("torch",)}


#: Examples that print expressions of a line, which CPython tells from 3.11 on.
OF_EXPRESSIONS = {"explaining.md-3"}


def marks(page: Path, number: int) -> list[pytest.MarkDecorator]:
    """Skips the examples of a page that needs what is not installed, or a later interpreter."""
    missing = [each for each in NEEDED.get(page.name, ()) if importlib.util.find_spec(each) is None]
    reasons = [f"{each} is not installed" for each in missing]
    if f"{page.name}-{number}" in OF_EXPRESSIONS and sys.version_info < (3, 11):
        reasons.append("this interpreter does not tell the expressions of a line")
    return [pytest.mark.skip(reason=reason) for reason in reasons[:1]]


EXAMPLES = [
    pytest.param(*match.groups(), id=f"{page.name}-{number}", marks=marks(page, number))
    for page in PAGES
    for number, match in enumerate(EXAMPLE.finditer(page.read_text(encoding="utf-8")))
]


def test_there_are_examples_in_the_readme_and_every_guide():
    with_examples = {parameter.id.rsplit("-", 1)[0] for parameter in EXAMPLES}
    assert with_examples >= {page.name for page in PAGES} - WITHOUT_EXAMPLES
    assert {parameter.id for parameter in EXAMPLES} >= OF_EXPRESSIONS


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code, output, tmp_path):
    file = tmp_path / "example.py"  # explanations read it
    file.write_text(code, encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, file, "exec"), {"__name__": "example"})
    assert output is not None, "an example shows what it prints"
    assert ITERATIONS.sub("", printed.getvalue()) == ITERATIONS.sub("", output)


def test_links_between_pages_resolve():
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not target.startswith("http")
    ]
    assert links
    assert [str(target) for page, target in links if not (page.parent / target).exists()] == []


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in PAGES} - {"README.md", "index.md"}
    assert len(pages) > 8
    assert {page for page in pages if f"]({page})" not in index} == set()
    assert "](docs/index.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
