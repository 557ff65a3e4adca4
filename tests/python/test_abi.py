"""The C ABI as ctypes has it equals include/palitra.h; a library of another kind is refused.

The C compiler preprocesses the header and a C parser reads it. How its structs lie in memory is printed by a C program
that is made from their fields.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import palitra
import pytest
from palitra import _errors
from palitra._native import abi
from pycparser import c_ast, c_parser

#: What the package does not use: it waits on the runner and, for many jobs, on a queue; it registers no callbacks; and
#: it reads stats of the one size that it knows.
NOT_NEEDED = {
    "palitra_runner_run",
    "palitra_runner_wait_any",
    "palitra_runner_gather",
    "palitra_stats_init",
    "palitra_token_on_complete",
    "palitra_token_on_ready",
    "palitra_token_wait",
    # Jobs in Python are queued: a function would run on a thread of the library's, which must not wait for an
    # interpreter. Their queue is about nothing else.
    "palitra_runner_register",
    "palitra_call_on_cancel",
    "palitra_event_call",
}

STRUCTS = {
    "palitra_reply": abi.Reply,
    "palitra_job_info": abi.JobInfo,
    "palitra_runner_options": abi.RunnerOptions,
    "palitra_submit_options": abi.SubmitOptions,
    "palitra_submission": abi.Submission,
    "palitra_event": abi.Event,
    "palitra_stats": abi.Stats,
}

HANDLES = {"palitra_runner", "palitra_token", "palitra_queue", "palitra_call"}

CALLBACKS = {
    "palitra_complete_fn": abi.CompleteFunction,
    "palitra_log_fn": abi.LogFunction,
    "palitra_thread_fn": abi.ThreadFunction,
    "palitra_free_fn": abi.FreeFunction,
}

SCALARS = {
    "void": None,
    "int": ctypes.c_int,
    "_Bool": ctypes.c_bool,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "palitra_status": ctypes.c_int32,
    "palitra_format": ctypes.c_int32,
}


@pytest.fixture(scope="module")
def header(root: Path) -> Path:
    return root / "include/palitra.h"


def preprocessed(header: Path, *options: str) -> str:
    command = ["cc", "-std=c99", "-E", "-P", "-D__attribute__(x)=", "-D__extension__=", *options, str(header)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


@pytest.fixture(scope="module")
def declarations(header: Path) -> dict[str, Any]:
    """What the header declares, by name: functions, structs, and the types of callbacks."""
    tree = c_parser.CParser().parse(preprocessed(header))
    found: dict[str, Any] = {}
    for node in tree.ext:
        kind = node.type
        if isinstance(node, c_ast.Typedef) and isinstance(kind, c_ast.TypeDecl) and isinstance(kind.type, c_ast.Struct):
            kind = kind.type
        if (node.name or "").startswith("palitra_"):
            found[node.name] = kind
    return found


def named(kind: Any) -> str:
    """The name of a type that is no pointer."""
    inner = kind.type
    return str(inner.name) if isinstance(inner, c_ast.Struct) else " ".join(inner.names)


def fits(kind: Any, ours: Any) -> bool:
    """Whether a type in ctypes is the C one."""
    if not isinstance(kind, c_ast.PtrDecl):
        name = named(kind)
        if name in CALLBACKS:
            return ours is CALLBACKS[name]
        return ours is (abi.Handle if name in HANDLES else SCALARS[name])
    if isinstance(kind.type, c_ast.PtrDecl):
        return ours is ctypes.POINTER(ctypes.c_void_p) and named(kind.type.type) == "void"
    pointee = named(kind.type)
    if pointee == "char":
        return ours is ctypes.c_char_p
    if pointee in ("void", "uint8_t"):
        # Python passes its own bytes where C only reads.
        return ours is ctypes.c_void_p or (ours is ctypes.c_char_p and "const" in kind.type.quals)
    expected = abi.Handle if pointee in HANDLES else STRUCTS.get(pointee) or SCALARS[pointee]
    return expected is getattr(ours, "target", getattr(ours, "_type_", None))


def functions(declarations: dict[str, Any]) -> dict[str, Any]:
    return {name: kind for name, kind in declarations.items() if isinstance(kind, c_ast.FuncDecl)}


def test_every_function_of_the_header_is_known_or_named_as_not_needed(declarations: dict[str, Any]) -> None:
    in_header = set(functions(declarations))
    assert set(abi.SIGNATURES) <= in_header
    assert in_header - set(abi.SIGNATURES) == NOT_NEEDED


@pytest.mark.parametrize("name", sorted(abi.SIGNATURES))
def test_a_signature_equals_the_headers(name: str, declarations: dict[str, Any]) -> None:
    result, arguments = abi.SIGNATURES[name]
    function = declarations[name]
    assert fits(function.type, result), f"{name} returns another type than {result}"
    parameters = [one.type for one in function.args.params]
    if len(parameters) == 1 and not isinstance(parameters[0], c_ast.PtrDecl) and named(parameters[0]) == "void":
        parameters = []
    assert len(parameters) == len(arguments)
    for position, (theirs, ours) in enumerate(zip(parameters, arguments, strict=True)):
        assert fits(theirs, ours), f"argument {position} of {name} is not {ours}"


def test_every_callback_equals_the_headers(declarations: dict[str, Any]) -> None:
    for name, ours in CALLBACKS.items():
        function = declarations[name].type
        assert fits(function.type, ours._restype_), name
        parameters = [one.type for one in function.args.params]
        assert len(parameters) == len(ours._argtypes_), name
        assert all(fits(*pair) for pair in zip(parameters, ours._argtypes_, strict=True)), name


def test_every_struct_has_the_headers_fields_in_their_order(declarations: dict[str, Any]) -> None:
    in_header = {name for name, kind in declarations.items() if isinstance(kind, c_ast.Struct)}
    assert in_header == set(STRUCTS) | HANDLES
    for name, ours in STRUCTS.items():
        theirs = [(field.name, field.type) for field in declarations[name].decls]
        assert [field for field, _ in theirs] == [field[0] for field in ours._fields_], name
        for (field, kind), (_, our_kind) in zip(theirs, ours._fields_, strict=True):
            assert fits(kind, our_kind), f"{name}.{field} is not {our_kind}"


def test_every_struct_lies_in_memory_as_the_compiler_lays_it(header: Path, tmp_path: Path) -> None:
    kinds = STRUCTS | dict.fromkeys(HANDLES, abi.Handle)
    checks = [f'_Static_assert(sizeof(struct {name}) == {ctypes.sizeof(ours)}, "");' for name, ours in kinds.items()]
    for name, ours in STRUCTS.items():
        for field, *_ in ours._fields_:
            descriptor = getattr(ours, field)
            member = f"((struct {name} *)0)->{field}"
            checks.append(f'_Static_assert(offsetof(struct {name}, {field}) == {descriptor.offset}, "");')
            checks.append(f'_Static_assert(sizeof({member}) == {descriptor.size}, "");')
    program = tmp_path / "layout.c"
    program.write_text("\n".join([f'#include "{header}"', *checks, "int main(void) { return 0; }"]))
    command = ["cc", "-std=c11", "-fsyntax-only", str(program)]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert compiled.returncode == 0, compiled.stderr


def test_every_constant_has_the_headers_value(header: Path) -> None:
    macros = dict(re.findall(r"^#define PALITRA_(\w+) \(?(-?\d+)u?\)?$", preprocessed(header, "-dM"), re.MULTILINE))
    names = [name for name in vars(abi) if name.isupper() and isinstance(getattr(abi, name), int)]
    assert len(names) >= 10
    for name in names:
        their_name = {"VERSION": "ABI_VERSION"}.get(name, name)
        assert int(macros[their_name]) == getattr(abi, name), name
    kinds = {**_errors._ERRORS, 10: _errors.JobError, 12: _errors.CancelledError, 14: _errors.BadPayloadError}
    for number, error in kinds.items():
        assert int(macros[error.status.removeprefix("PALITRA_")]) == number
    assert int(macros["DEADLINE"]) == 13
    statuses = range(10, 30)
    in_header = {int(macros[name]) for name in macros if not name.startswith("LOG_") and int(macros[name]) in statuses}
    assert in_header == {*kinds, 13}, "a status that no exception is made of"


@pytest.mark.parametrize("text", [b"", b"x", b"palitra.echo", b"\0" * 1000])
def test_the_characters_of_bytes_are_where_c_looks_for_them(text: bytes) -> None:
    assert ctypes.string_at(abi.address_of(text), len(text) + 1) == text + b"\0"


def test_a_size_that_is_no_int_of_cs_is_passed_whole() -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return 2**32 + 5

    strlen = ctypes.CDLL(None).strnlen
    assert strlen(b"palitra", abi.size_of(b"four")) == 4
    size = abi.size_of(Large())
    assert isinstance(size, ctypes.c_size_t)
    assert size.value == 2**32 + 5


# Other libraries.

Build = Callable[[str], Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(source: str) -> Path:
        library = tmp_path / "libother.so"
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
        subprocess.run(command, input=source, text=True, check=True, timeout=30)
        return library

    return build


def test_a_library_of_another_abi_version_is_refused_with_both_versions(build: Build) -> None:
    library = build("unsigned palitra_abi_version(void) { return 2; }")
    with pytest.raises(ImportError) as refused:
        palitra.load(library)
    assert str(refused.value) == f"{library} has ABI version 2, and this package works with version 1"


def test_a_library_that_is_not_palitras_is_refused(build: Build) -> None:
    library = build("int other(void) { return 42; }")
    with pytest.raises(ImportError, match=f"{library} is not a palitra library"):
        palitra.load(library)


def test_a_library_that_lacks_a_function_is_refused_by_its_name(build: Build) -> None:
    library = build("unsigned palitra_abi_version(void) { return 1; }")
    with pytest.raises(ImportError, match=r"has no palitra_\w+: it is older than this package"):
        palitra.load(library)


def test_a_file_that_is_missing_or_no_library_is_an_os_error_with_its_name(tmp_path: Path) -> None:
    missing = tmp_path / "libmissing.so"
    with pytest.raises(OSError, match=r"libmissing\.so"):
        palitra.load(missing)
    text = tmp_path / "libtext.so"
    text.write_text("no library")
    with pytest.raises(OSError, match=r"libtext\.so"):
        palitra.load(text)


def test_the_library_of_the_package_is_of_its_own_version(palitra_library: Path) -> None:
    from importlib.metadata import version

    assert palitra.load(palitra_library).version() == version("palitra")


def test_a_missing_library_is_named_at_the_first_job(run_python: Callable[..., Any]) -> None:
    ended = run_python("import palitra; palitra.job('palitra.echo')", env={"PALITRA_LIBRARY": "/no/libpalitra.so"})
    assert ended.returncode == 1
    assert "/no/libpalitra.so" in ended.stderr
