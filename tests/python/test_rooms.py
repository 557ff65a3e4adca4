"""The package's modules use each other in one direction only, and import at their top.

ORDER is the map: a module imports only modules that stand above it, so that no circle is possible. The import lines are
read, not run, those for type checkers too. ``palitra/_loop/__init__.py`` and ``palitra/_native/__init__.py`` say what
each module is for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

#: Every module of the package, below those that it may import.
ORDER = [
    "palitra._errors",
    "palitra._types",
    "palitra._http",
    "palitra._framed",
    "palitra._fork",
    "palitra._threads",
    "palitra._limits",
    "palitra._future",
    "palitra._loop",
    "palitra._loop.posted",
    "palitra._loop.counts",
    "palitra._loop.inbox",
    "palitra._loop.debug",
    "palitra._loop.doorbell",
    "palitra._loop.executor",
    "palitra._loop.ending",
    "palitra._loop.thread",
    "palitra._loop.at_exit",
    "palitra._loop.desk",
    "palitra._loop.contexts",
    "palitra._loop.work",
    "palitra._loop.borrowed",
    "palitra._loop.futures",
    "palitra._loop.portal",
    "palitra._loop.gather",
    "palitra._loop.as_completed",
    "palitra._loop.conversation",
    "palitra._loop.awaited",
    "palitra._native",
    "palitra._native.abi",
    "palitra._native.slot",
    "palitra._native.signals",
    "palitra._native.payload",
    "palitra._native.events",
    "palitra._native.loops",
    "palitra._native.completions",
    "palitra._native.calls",
    "palitra._native.invoke",
    "palitra._native.job",
    "palitra._native.futures",
    "palitra._native.run",
    "palitra._native.batch",
    "palitra._native.gather",
    "palitra._native.runner",
    "palitra._native.library",
    "palitra._logs",
    "palitra._to_async",
    "palitra._faces",
    "palitra._bridges",
    "palitra._owner",
    "palitra._gathering",
    "palitra._runner",
    "palitra._global",
    "palitra._to_sync",
    "palitra.celery",
    "palitra",
]

#: Chapters that must not use each other, although one stands above the other.
APART = {"palitra._loop", "palitra._native"}

#: Packages that a function may import when it runs, since nobody has to have them installed.
OPTIONAL = {"celery", "gevent", "uvloop"}


class Import(NamedTuple):
    """An import line: what it imports, where it stands, and whether that is inside a function."""

    target: str
    line: int
    deferred: bool


def imports_of(module: str, source: str, is_package: bool, known: Mapping[str, object]) -> Iterator[Import]:
    """The imports of a module, named in full; ``from . import name`` is the module of that name if there is one."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if is_package else module.split(".")[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            source_module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{source_module}.{alias.name}" for alias in node.names]
            targets = [name if name in known else source_module for name in names]
        else:
            continue
        for target in targets:
            yield Import(target, node.lineno, id(node) in inside)


def faults(sources: Mapping[str, str], packages: set[str], order: list[str]) -> Iterator[str]:
    """What is wrong with the imports of these modules, a line for each."""
    position = {module: place for place, module in enumerate(order)}
    for module, source in sources.items():
        for target, line, deferred in imports_of(module, source, module in packages, sources):
            place = f"{module}, line {line}"
            if deferred and target.split(".")[0] not in OPTIONAL:
                yield f"{place}: imports {target} inside a function"
            if target.split(".")[0] != "palitra":
                continue
            if target not in position:
                yield f"{place}: imports {target}, which is not on the map"
            elif position[target] >= position[module]:
                yield f"{place}: imports {target}, which stands below it on the map"
            if {chapter(module), chapter(target)} == APART:
                yield f"{place}: {chapter(module)} uses {chapter(target)}"


def chapter(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.fixture(scope="module")
def files(root: Path) -> dict[str, Path]:
    """The file of each module, in the checkout."""
    source = root / "bindings/python/src"
    names = {path: path.relative_to(source).with_suffix("") for path in source.rglob("*.py")}
    return {".".join(name.parts).removesuffix(".__init__"): path for path, name in names.items()}


@pytest.fixture(scope="module")
def sources(files: dict[str, Path]) -> dict[str, str]:
    return {module: path.read_text() for module, path in files.items()}


@pytest.fixture(scope="module")
def packages(files: dict[str, Path]) -> set[str]:
    return {module for module, path in files.items() if path.name == "__init__.py"}


def test_the_map_names_every_module_once(files: dict[str, Path]) -> None:
    assert sorted(ORDER) == sorted(files)


def test_no_module_imports_upward_or_inside_a_function(sources: dict[str, str], packages: set[str]) -> None:
    assert list(faults(sources, packages, ORDER)) == []


def test_each_chapter_says_what_its_modules_are_for(sources: dict[str, str], packages: set[str]) -> None:
    for module, source in sources.items():
        page = ast.get_docstring(ast.parse(source))
        assert page, f"{module} does not say what it is for"
        if module in packages and module != "palitra":
            rooms = [one.rsplit(".", 1)[1] for one in ORDER if one.startswith(module + ".")]
            listed = [line.split()[0] for line in page.splitlines() if line.startswith("    ")]
            assert listed == rooms, module


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("from .c import x", "palitra.b, line 1: imports palitra.c, which stands below it on the map"),
        ("from . import c", "palitra.b, line 1: imports palitra.c, which stands below it on the map"),
        ("import palitra", "palitra.b, line 1: imports palitra, which stands below it on the map"),
        ("if x:\n    from .c import y", "palitra.b, line 2: imports palitra.c, which stands below it on the map"),
        ("def f():\n    from .a import x", "palitra.b, line 2: imports palitra.a inside a function"),
        ("def f():\n    import json", "palitra.b, line 2: imports json inside a function"),
        ("from .d import x", "palitra.b, line 1: imports palitra.d, which is not on the map"),
        ("from .a import x\ndef f():\n    import uvloop", None),
    ],
)  # fmt: skip
def test_a_fault_is_seen(source: str, fault: str | None) -> None:
    modules = {"palitra": "from . import a, b, c", "palitra.a": "", "palitra.b": source, "palitra.c": ""}
    order = ["palitra.a", "palitra.b", "palitra.c", "palitra"]
    assert list(faults(modules, {"palitra"}, order)) == ([] if fault is None else [fault])


def test_a_circle_is_seen() -> None:
    modules = {"palitra.a": "from .b import x", "palitra.b": "from . import a"}
    assert len(list(faults(modules, set(), list(modules)))) == 1


def test_a_use_of_the_other_chapter_is_seen() -> None:
    modules = {"palitra._loop.a": "", "palitra._native.b": "from .._loop.a import x"}
    fault = "palitra._native.b, line 1: palitra._native uses palitra._loop"
    assert list(faults(modules, set(), list(modules))) == [fault]
