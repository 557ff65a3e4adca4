"""The package is typed: mypy accepts it for every version of Python, and finds its users' mistakes.

`make lint` has pyright do so for one version.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("version", VERSIONS)
def test_mypy_is_content_with_the_package_and_its_uses(version: str, root: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--config-file", "bindings/python/pyproject.toml"]
    command += ["--python-version", version, "--cache-dir", "target/mypy"]
    uses = ["tests/python/typed_usages.py", "tests/python/wrong_usages.py", "tests/conformance/conformance.py"]
    command += ["bindings/python/src", "examples/python/progress.py", *uses]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_every_file_is_of_the_syntax_of_each_version(version: str, root: Path) -> None:
    files = [*root.glob("bindings/python/**/*.py"), *root.glob("examples/python/*.py")]
    assert len(files) > 15
    for file in files:
        ast.parse(file.read_text(), str(file), feature_version=(3, int(version.removeprefix("3."))))
