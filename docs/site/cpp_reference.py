"""The reference of C++, from the headers of bindings/cpp: doxygen reads them, breathe writes what it read.

One section a header, in the order of palitra.hpp, then the two that a program includes by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

#: What is shown of a header and of each class in it: what is public.
SECTIONS = (
    "briefdescription detaileddescription innernamespace innerclass public-type public-attrib public-static-attrib "
    "public-func public-static-func typedef enum func var"
)


def page(include: Path) -> str:
    top = (include / "palitra.hpp").read_text()
    headers = [*re.findall(r'#include "palitra/(\w+\.hpp)"', top), "asio.hpp", "execution.hpp"]
    missing = {path.name for path in (include / "palitra").glob("*.hpp")} - set(headers)
    if missing:
        raise ValueError(f"palitra.hpp includes no {', '.join(sorted(missing))}")
    text = f"# C++ reference\n\n{purpose(top)}\n"
    for header in headers:
        text += f"\n## palitra/{header}\n\n{purpose((include / 'palitra' / header).read_text())}\n\n"
        text += f"```{{doxygenfile}} {header}\n:sections: {SECTIONS}\n```\n"
    return text


def purpose(header: str) -> str:
    """What the first comment of a header says. It is Markdown; its code gets a fence, which names the language."""
    comment = re.match(r"(?:///.*\n)+", header)
    assert comment, header[:200]
    text = re.sub(r"^/// ?", "", comment[0], flags=re.M)
    return re.sub(r"^((?:    .*\n|\n(?=    ))+)", fence, text, flags=re.M).strip()


def fence(code: re.Match[str]) -> str:
    return "```cpp\n" + re.sub(r"^    ", "", code[1].strip("\n"), flags=re.M) + "\n```\n"
