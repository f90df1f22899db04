"""The site: links and anchors of its pages, its navigation, its pictures and its words."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as code hosts and the site make them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found[slug] = found.get(slug, 0) + 1
    return set(found)


def broken(page: Path) -> list[str]:
    """The relative links of a page that lead nowhere, by file or by anchor."""
    wrong = []
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        goal = page.parent / path if path else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_and_anchors_resolve(page):
    assert broken(page) == []


def test_a_broken_link_or_anchor_is_found(tmp_path):
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# One `word`, two\n", encoding="utf-8")
    page.write_text(
        "[a](other.md#one-word-two) [b](other.md#three) [c](missing.md) [d](#here)\n# Here\n",
        encoding="utf-8",
    )
    assert broken(page) == ["other.md#three", "missing.md"]


def test_the_navigation_lists_only_pages_that_exist():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    listed = re.findall(r"([\w/]+\.md)", text)
    made = {"introduction.md", "contributing.md", "changelog.md"}
    assert len(listed) > 25
    assert len(set(listed)) == len(listed)
    assert {page for page in listed if not (DOCS / page).exists()} == made


def test_every_picture_is_shown_and_every_picture_shown_exists():
    shown = {
        target
        for page in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    names = {Path(target).name for target in shown}
    assert names == {picture.name for picture in DOCS.glob("*.png")}


def test_every_public_name_has_one_page_of_the_reference(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "site"))
    found = importlib.util.spec_from_file_location("reference", DOCS / "site" / "reference.py")
    reference = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, "reference", reference)  # its dataclass looks there
    found.loader.exec_module(reference)
    paths = [
        path
        for text in reference.pages().values()
        for path in re.findall(r"^::: (.+)$", text, re.M)
    ]
    assert len(paths) == len(set(paths)) > 150
    names = {path.rsplit(".", 1)[1] for path in paths}
    assert names >= set(reference.homes())
    listed = [name for subject in reference.SUBJECTS for name in subject.names.split()]
    assert set(listed) <= set(reference.homes()), "a subject lists a name that is gone"


def test_one_word_for_what_is_left_out():
    """The glossary's words, and not those of earlier days."""
    other = re.compile(r"\b(silenc\w+|quarantin\w+)", re.IGNORECASE)
    assert {
        page.name: other.findall(prose(page)) for page in PAGES if other.search(prose(page))
    } == {}


def test_reports_of_famous_bugs_are_cited_by_repository_and_number():
    text = (DOCS / "famous_bugs.md").read_text(encoding="utf-8")
    sections = re.split(r"^## \d+\. ", text, flags=re.MULTILINE)[1:]
    assert len(sections) == 20
    cited = re.compile(
        r"\[([\w.-]+/[\w.-]+)#(\d+)\]\(https://github\.com/([\w.-]+/[\w.-]+)/\w+/(\d+)\)"
    )
    for section in sections:
        reports = cited.findall(section)
        assert reports, section.splitlines()[0]
        assert all((a, b) == (c, d) for a, b, c, d in reports)
        assert "```python" in section


def test_a_warning_stops_the_build():
    """``--quiet`` would hide warnings from ``--strict`` as well."""
    script = (DOCS / "build.sh").read_text(encoding="utf-8")
    commands = [line for line in script.splitlines() if "mkdocs build" in line]
    assert len(commands) == 1
    assert "--strict" in commands[0]
    assert "--quiet" not in commands[0]


def test_the_scripts_of_the_site_parse():
    scripts = [*DOCS.glob("*.py"), *(DOCS / "site").glob("*.py")]
    assert len(scripts) >= 6
    assert all(ast.get_docstring(ast.parse(s.read_text(encoding="utf-8"))) for s in scripts)
