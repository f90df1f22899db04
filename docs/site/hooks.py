"""What the site has beyond ``docs/*.md``: the reference, the examples, the README and the like.

Links of the guides lead to files of the repository, so that they work where the code is read; here
they are turned to the pages that show these files.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import reference  # noqa: E402

#: Files outside docs/ that become pages: those of the root, and the examples.
OUTER = {path.name: f"{path.stem.lower()}.md" for path in sorted(ROOT.glob("*.md"))}
OUTER["README.md"] = "introduction.md"
EXAMPLES = {
    f"examples/{path.name}": f"examples/{path.stem}{'' if path.suffix == '.py' else '_rust'}.md"
    for path in [*sorted(ROOT.glob("examples/*.py")), *sorted(ROOT.glob("examples/*.rs"))]
}
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def example_page(script: Path) -> str:
    """A page that shows an example."""
    source = script.read_text(encoding="utf-8")
    if script.suffix == ".py":
        language, text = "python", ast.get_docstring(ast.parse(source)) or ""
    else:
        comment = itertools.takewhile(lambda line: line.startswith("//!"), source.splitlines())
        language, text = "rust", "\n".join(line[len("//!") :].strip() for line in comment)
    summary = text.split("\n\n")[0]
    return f"# {script.name}\n\n{summary}\n\n```{language}\n{source}```\n"


def seen_from_docs(text: str) -> str:
    """The text of a file of the root, with its links as a page of docs/ would write them."""

    def turned(match: re.Match[str]) -> str:
        target = match[2]
        if target.startswith(("http", "mailto:")):
            return match[0]
        inner = target[len("docs/") :] if target.startswith("docs/") else f"../{target}"
        return f"{match[1]}{inner}{match[3]}"

    return LINK.sub(turned, text)


def seen_from_site(text: str) -> str:
    """The text of a page with links to files outside docs/ turned to their pages."""

    def turned(match: re.Match[str]) -> str:
        target = match[2]
        if not target.startswith("../"):
            return match[0]
        outer = target[len("../") :]
        page = {**OUTER, **EXAMPLES}.get(outer, outer)
        return f"{match[1]}{page}{match[3]}"

    return LINK.sub(turned, text)


def listed(nav: Any) -> set[str]:
    """The pages that a navigation names."""
    if isinstance(nav, str):
        return {nav}
    children = nav.values() if isinstance(nav, dict) else nav
    return set().union(*(listed(child) for child in children))


def on_config(config: Any) -> Any:
    """Completes the navigation: the reference, the examples and guides that it does not list."""
    reading_order = re.findall(r"\]\((\w+\.md)\)", (ROOT / "docs/index.md").read_text("utf-8"))
    missing = [page for page in reading_order if page not in listed(config.nav)]
    for part in config.nav:
        for title, children in part.items():
            if title == "Guides" and missing:
                children.append({"More": missing})
            elif title == "Reference":
                children.append({"By subject": list(reference.pages())})
            elif title == "Examples":
                children += EXAMPLES.values()
            elif title == "Contributing":
                children += [page for page in OUTER.values() if page not in listed(config.nav)]
    config.watch += [str(ROOT / name) for name in OUTER]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are made."""
    made = reference.pages()
    for script, page in EXAMPLES.items():
        made[page] = example_page(ROOT / script)
    for name, page in OUTER.items():
        made[page] = seen_from_docs((ROOT / name).read_text(encoding="utf-8"))
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns the links of a page of docs/ and of those from the root."""
    return seen_from_site(markdown) if "/" not in page.file.src_uri else markdown
