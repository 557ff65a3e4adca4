"""Lays the tree's pages out for Sphinx: `python docs/site/stage.py FOLDER`.

Every page keeps its place, so that a link between two pages is the same in the tree and on the site. A link to another
file of the tree becomes one to a page that shows the file. Beside them come the pages that are made here: one for each
section of navigation.toml, the quick start from the pages of the languages, and the references of C, C++ and Python.
What is already as it should be is not written again: Sphinx reads only what changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import c_reference
import cpp_reference
import python_reference
import tomllib

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGES = (
    "*.md",
    "docs/*.md",
    "docs/python/*.md",
    "docs/recipes/*.md",
    "bindings/*/README.md",
    "examples/**/README.md",
    "benches/README.md",
    "tests/**/README.md",
)
#: What is shown by a page of its own that has another name.
SHOWN_BY = {"include/palitra.h": "reference/c.rst", "bindings/cpp/include/palitra.hpp": "reference/cpp.md"}
#: Says that no section of the navigation has the page.
ORPHAN = "---\norphan: true\n---\n\n"
LEXERS = {".h": "c", ".c": "c", ".cpp": "cpp", ".hpp": "cpp", ".rs": "rust", ".go": "go", ".py": "python", ".sh": "sh"}
LEXERS |= {".toml": "toml", ".rb": "ruby", ".php": "php", ".ts": "typescript", ".xml": "xml"}
LANGUAGES = {
    "C": "c",
    "C++": "cpp",
    "Go": "go",
    "Python": "python",
    "Node": "node",
    "Rust": "rust",
    "Ruby": "ruby",
    "PHP": "php",
    "LuaJIT": "lua",
    "Perl": "perl",
    "Java": "java",
}


class Site:
    """The folder that Sphinx reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: set[Path] = set()
        self.sources: set[str] = set()

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        self.written.add(path)
        content = text.encode() if isinstance(text, str) else text
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def remove_what_is_no_more(self) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.written:
                path.unlink()

    def pages(self) -> None:
        for pattern in PAGES:
            for path in sorted(ROOT.glob(pattern)):
                name = path.relative_to(ROOT).as_posix()
                self.write(name, prose(path.read_text(), lambda text, name=name: self.linked(text, name)))
        for image in sorted((ROOT / "docs").glob("*.svg")):
            self.write(f"docs/{image.name}", image.read_bytes())

    def linked(self, text: str, page: str) -> str:
        """Has links to files that are no pages lead to pages that show these files."""

        def link(match: re.Match[str]) -> str:
            target, _, anchor = match[1].partition("#")
            path = (ROOT / page).parent / target
            if not target or "://" in target or path.suffix in (".md", ".svg") or not path.exists():
                return match[0]
            name = path.resolve().relative_to(ROOT).as_posix()
            return f"](/{self.shown(name)}{'#' + anchor if anchor else ''})"

        # A page is called by its title, not by the name of its file.
        text = re.sub(r"\[[\w./-]+\.md\](\([^)\s]+\))", r"[]\1", text)
        return re.sub(r"\]\(([^)\s]+)\)", link, text)

    def shown(self, name: str) -> str:
        """The page that shows a file or a folder."""
        if name in SHOWN_BY:
            return SHOWN_BY[name]
        self.sources.add(name)
        return f"sources/{name}.md"

    def source_pages(self) -> None:
        for name in sorted(self.sources):
            path = ROOT / name
            if path.is_dir():
                files = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in LEXERS)
                listed = [file.relative_to(ROOT).as_posix() for file in files]
                for file in listed:
                    self.sources.add(file)
                links = "\n".join(f"- [{file}](/{self.shown(file)})" for file in listed)
                self.write(f"sources/{name}.md", f"{ORPHAN}# {name}\n\n{links}\n")
        for name in sorted(self.sources):
            path = ROOT / name
            if path.is_file():
                code = f"``````{LEXERS.get(path.suffix, 'text')}\n{path.read_text().rstrip()}\n``````\n"
                self.write(f"sources/{name}.md", f"{ORPHAN}# {name}\n\n{code}")
        links = "\n".join(f"- [{name}](/sources/{name}.md)" for name in sorted(self.sources))
        text = "# Files of the tree\n\nThe files that pages of this site link to.\n\n"
        self.write("sources.md", f"{text}{links}\n")

    def quick_start(self) -> None:
        """The beginning of each language's page, as tabs."""
        tabs = []
        for language, name in LANGUAGES.items():
            page = (self.folder / f"docs/{name}.md").read_text()
            beginning = page.split("\n", 1)[1].split("\n## ", 1)[0].strip()
            beginning = re.sub(r"\]\((?![/#]|\w+:)([^)\s]+\.md)", r"](docs/\1", beginning).replace("](docs/../", "](")
            tabs.append(f"::::{{tab-item}} {language}\n:sync: {name}\n\n{beginning}\n\n[More](docs/{name}.md)\n::::\n")
        text = (
            "# Quick start\n\nThe same program in each language: two asynchronous jobs at the same time. Start in the "
            "folder that holds\nyour checkout `palitra`, in which `make` has run: it needs Rust, a C compiler and "
            "Python. [A release](docs/packages.md#from-a-release)\nneeds no checkout. This page remembers your "
            "language.\n\n"
        )
        self.write("quick-start.md", text + ":::::{tab-set}\n:sync-group: language\n\n" + "".join(tabs) + ":::::\n")

    def sections(self) -> None:
        sections = tomllib.loads((HERE / "navigation.toml").read_text())["section"]
        for section in sections:
            there = [(page, text, *title) for page, text, *title in section["pages"] if self.find(page)]
            rows = "".join(f"| [{''.join(title)}](/{self.find(page)}) | {text} |\n" for page, text, *title in there)
            tree = "".join(f"{title[0]} </{page}>\n" if title else f"/{page}\n" for page, _, *title in there)
            self.write(
                f"{section['path']}.md",
                f"# {section['title']}\n\n{section['text']}\n\n| page | what it is about |\n|---|---|\n{rows}\n"
                f"```{{toctree}}\n:hidden:\n\n{tree}```\n",
            )
        tree = "".join(f"{section['path']}\n" for section in sections)
        landing = (HERE / "landing.myst").read_text()
        hello = re.search(r"^```python\n(# hello.py.*?)^```$", (ROOT / "docs/python.md").read_text(), re.M | re.S)
        assert hello, "docs/python.md begins with no hello.py"
        self.write("hello.py", hello[1])
        self.write("index.md", landing + f"\n```{{toctree}}\n:hidden:\n\n{tree}```\n")

    def find(self, page: str) -> str | None:
        names = (f"{page}.md", f"{page}.rst")
        return next((name for name in names if self.folder / name in self.written), None)


def prose(markdown: str, change: Callable[[str], str]) -> str:
    """Changes what is neither in a block of code nor in a span of it."""
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", markdown, flags=re.M | re.S)
    return "".join(part if part.startswith("`") else change(part) for part in parts)


def main(folder: Path) -> None:
    site = Site(folder)
    site.pages()
    site.write("reference/c.rst", c_reference.page(ROOT / "include/palitra.h"))
    site.write("reference/cpp.md", cpp_reference.page(ROOT / "bindings/cpp/include"))
    site.write("reference/python.rst", python_reference.page())
    site.write("reference/go.md", (ROOT / "target/site-made/go.md").read_text())
    site.write("reference/rust.md", (HERE / "rust.myst").read_text())
    site.quick_start()
    site.source_pages()
    site.sections()
    site.remove_what_is_no_more()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
