"""Writes a bill of materials of libpalitra.so in CycloneDX 1.6: every crate that is linked in, and who uses whom.

    python3 -B make/sbom.py FILE

Beside the crates stand the standard library of Rust and the C libraries that crates bring, since advisories are written
about those by their own names. The same tree gives the same bytes: the serial number is made of what is listed, and the
time is SOURCE_DATE_EPOCH, or else that of the last commit.
"""

import json
import os
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import linked
from linked import Crate


def reference(crate: Crate) -> str:
    return f"pkg:cargo/{crate.name}@{quote(crate.version, safe='.-')}"


def component(crate: Crate) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference(crate),
        "name": crate.name,
        "version": crate.version,
        "licenses": [{"expression": crate.licence}],
        "purl": reference(crate),
    }
    if crate.checksum:
        told["hashes"] = [{"alg": "SHA-256", "content": crate.checksum}]
    if crate.repository:
        told["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    brought = brought_by(crate)
    if brought:
        told["components"] = [brought]
    return told


def brought_by(crate: Crate) -> dict[str, Any] | None:
    """The C library in a crate that names it behind its own version: zstd-sys 2.1.3+zstd.1.5.7."""
    name, _, version = crate.version.partition("+")[2].partition(".")
    return generic(name, version) if version else None


def generic(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:generic/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def time() -> str:
    seconds = (
        os.environ.get("SOURCE_DATE_EPOCH")
        or subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=linked.ROOT, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    )
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(crates: dict[str, Crate]) -> dict[str, Any]:
    palitra, *others = crates.values()
    standard = generic("rust-std", linked.rust_version())
    standard["licenses"] = [{"expression": "MIT OR Apache-2.0"}]
    depends = [
        {"ref": reference(crate), "dependsOn": sorted(reference(crates[used]) for used in crate.uses)}
        for crate in crates.values()
    ]
    depends[0]["dependsOn"].append(standard["bom-ref"])
    components = [*map(component, others), standard]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([component(palitra), components], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": time(),
            "component": component(palitra),
            "properties": [{"name": "palitra:target", "value": linked.platform()}],
        },
        "components": components,
        "dependencies": depends,
    }


def main() -> None:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document(linked.crates()), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
