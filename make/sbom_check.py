"""Fails unless a file is a bill of materials as CycloneDX 1.6 wants it, and names its parts by valid licences.

target/venv-release/bin/python -B make/sbom_check.py FILE
"""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> None:
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if wrong is not None:
        raise SystemExit(f"sbom_check.py: {sys.argv[1]}: {wrong}")


if __name__ == "__main__":
    main()
