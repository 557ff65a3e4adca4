"""The reference of Python: everything that the package palitra names, by its docstrings."""

from __future__ import annotations

import inspect

import palitra


def page() -> str:
    errors, classes, functions = [], [], []
    for name in palitra.__all__:
        value = getattr(palitra, name)
        if not inspect.isclass(value):
            functions.append(name)
        elif issubclass(value, Exception):
            errors.append(name)
        else:
            classes.append(name)
    lines = ["Python reference", "================", "", ".. automodule:: palitra", "   :no-members:", ""]
    for title, directive, names in (
        ("Functions", "autofunction", functions),
        ("Classes", "autoclass", classes),
        ("Errors", "autoexception", errors),
    ):
        lines += [title, "-" * len(title), ""]
        for name in names:
            lines += [f".. {directive}:: palitra.{name}"]
            lines += ["   :members:", "   :inherited-members: Exception, BaseException, tuple, int"] * (
                directive == "autoclass"
            )
            lines += [""]
    lines += ["Celery", "------", "", ".. automodule:: palitra.celery", "   :members:", ""]
    return "\n".join(lines)
