"""The reference of C, from include/palitra.h: one section for each noun, as the header has them.

A comment of the header documents the declaration below it. Names of the header link to where they are documented.
"""

from __future__ import annotations

import re
from pathlib import Path

SECTION = re.compile(
    r"/\* -+\n \* (?P<name>[\w ]+): (?P<text>.*?)\n \* -+ \*/\n(?P<body>.*?)(?=/\* ---|\n#ifdef __cpl)", re.S
)
#: A comment, and the declaration below it up to the next blank line or comment.
ITEM = re.compile(r"^/\*\*(?P<comment>.*?)\*/\n(?P<code>.*?)(?=\n\n|\n/\*\*|\Z)", re.M | re.S)
FIELD = re.compile(r"^  /\*\*(?P<comment>.*?)\*/\n  (?P<code>[^;]*);", re.M | re.S)


def page(header: Path) -> str:
    text = header.read_text()
    writer = Writer(roles(text))
    rules = plain(text.split("*/", 1)[0].removeprefix("/*"))
    lines = ["C reference", "===========", ""]
    lines += writer.rst(rules.split("The build writes this file")[0])
    for section in SECTION.finditer(text):
        lines += ["", section["name"], "-" * len(section["name"]), ""]
        lines += writer.rst(capitalized(re.sub(r"\s*\n \* ", " ", section["text"])))
        for item in ITEM.finditer(section["body"]):
            lines += writer.item(plain(item["comment"]), item["code"].rstrip())
    reference = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"
    missing = [name for name in writer.roles if not re.search(rf"^ *\.\. c:\w+:: .*\b{name}\b", reference, re.M)]
    if missing:
        raise ValueError(f"{header} declares what its reference lacks: {', '.join(missing)}")
    return reference


def roles(text: str) -> dict[str, str]:
    """Everything that the header declares, each with the role that links to it."""
    declared = re.sub(r"/\*.*?\*/", "", text.split("#define PALITRA_H", 1)[1], flags=re.S)
    macros = dict.fromkeys(re.findall(r"#define (PALITRA_\w+)", declared), "macro")
    functions = dict.fromkeys(re.findall(r"^[a-z][\w *]*\b(palitra_\w+)\(", declared, re.M), "func")
    structs = dict.fromkeys(re.findall(r"^typedef struct (palitra_\w+)", declared, re.M), "struct")
    types = re.findall(r"^typedef (?!struct)[^;]*?\(?\*?(palitra_\w+)\)?[(;]", declared, re.M)
    return macros | functions | structs | dict.fromkeys(types, "type")


def plain(comment: str) -> str:
    """A comment without its stars."""
    return "\n".join(re.sub(r"^\s*\*( |$)", "", line) for line in comment.strip().splitlines()).strip()


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


class Writer:
    """Writes reStructuredText in which the names of the header are links."""

    def __init__(self, roles: dict[str, str]) -> None:
        self.roles = roles

    def inline(self, text: str) -> str:
        """Escapes a text, and has names and code stand out."""

        parts = re.split(r"((?:palitra_|PALITRA_)\w*\w\b(?:\([^)]*\))?)", text)
        out = []
        for number, part in enumerate(parts):
            if number % 2 == 0:
                out.append(re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", part))
            elif part in self.roles:
                out.append(f":c:{self.roles[part]}:`{part}`")
            else:
                out.append(f"``{part}``")
            if number % 2 == 1 and number + 1 < len(parts) and re.match(r"\w", parts[number + 1] or " "):
                out.append("\\ ")
        return "".join(out).replace(r"\ _", "_")

    def rst(self, text: str, indent: str = "") -> list[str]:
        """Paragraphs, lists and indented code."""
        lines: list[str] = []
        for block in re.split(r"\n\n(?!    )", text):
            if re.match(r"    |#include", block):
                code = [line.removeprefix("    ") for line in block.split("\n")]
                lines += [f"{indent}.. code-block:: c", ""] + [f"{indent}   {line}".rstrip() for line in code]
            elif "\n\n    " in block:
                first, code_block = block.split("\n\n", 1)
                lines += self.rst(first, indent) + self.rst(code_block, indent)
                continue
            else:
                lines += self.paragraph(block, indent)
            lines.append("")
        return lines

    def paragraph(self, block: str, indent: str) -> list[str]:
        """A paragraph, with the list that may follow it."""
        first, *points = re.split(r"\n(?=- )|^(?=- )", block)
        lines = [indent + self.inline(" ".join(first.split()))] if first else []
        # "Threads. Every function ...": a rule has its name in bold.
        lines = [re.sub(r"^(\s*)([A-Z][a-z]+(?: [a-z]+)?)\. (?=[A-Z:])", r"\1**\2.** ", line) for line in lines]
        if points:
            lines += [""] + [f"{indent}- {self.inline(' '.join(point[2:].split()))}" for point in points]
        return lines

    def item(self, comment: str, code: str) -> list[str]:
        if code.startswith("typedef struct"):
            return self.struct(comment, code)
        lines = []
        for directive, signature in declarations(code):
            lines += ["", f".. c:{directive}:: {signature}"]
        value = re.fullmatch(r"#define \w+ \(?(-?\w+)\)?", code)
        lines += ["", f"   = {value[1]}"] if value else []
        return [*lines, "", *self.documentation(comment, "   ")]

    def struct(self, comment: str, code: str) -> list[str]:
        name = re.search(r"} (\w+);", code)
        assert name, code
        lines = ["", f".. c:struct:: {name[1]}", "", *self.documentation(comment, "   ")]
        for field in FIELD.finditer(code):
            lines += ["", f"   .. c:member:: {' '.join(field['code'].split())}", ""]
            lines += self.documentation(plain(field["comment"]), "      ")
        return lines

    def documentation(self, comment: str, indent: str) -> list[str]:
        text, *tags = re.split(r"\n*^@(?=param|return)", comment, flags=re.M)
        lines = self.rst(text, indent)
        for tag in tags:
            if tag.startswith("param"):
                _, name, rest = tag.split(None, 2)
                lines.append(f"{indent}:param {name}: {self.inline(' '.join(rest.split()))}")
            else:
                body = self.rst(tag.removeprefix("return").strip(), indent + "   ")
                lines += [f"{indent}:returns:", *body]
        return [*lines, ""]


def declarations(code: str) -> list[tuple[str, str]]:
    """What a comment documents: a function, a type, or macros. A macro that passes a size to the function above it is
    called like the function."""
    if code.startswith("#define"):
        found = []
        for line in code.replace("\\\n", "").splitlines():
            macro = re.match(r"#define (\w+(?:\([^)]*\))?)", line)
            assert macro, line
            found.append(("macro", macro[1]))
        return found
    declaration = " ".join(code.split(";")[0].split())
    if declaration.startswith("typedef"):
        return [("type", declaration.removeprefix("typedef "))]
    return [("function", declaration)]
