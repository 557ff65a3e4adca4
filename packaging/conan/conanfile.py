"""Conan's recipe: builds the checkout that it stands in, with make and cargo.

    conan create palitra/packaging/conan [-o palitra/*:shared=False]

With PALITRA_LIBRARY_DIR, as for `make install`, `conan export-pkg` takes what is built already.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar

from conan import ConanFile
from conan.tools.files import copy


class Palitra(ConanFile):
    name = "palitra"
    description = "Synchronous programs call asynchronous code"
    license = "BSD-3-Clause"
    package_type = "library"
    # The compiler and the kind of build make no difference: the ABI is C's, and cargo builds for release.
    settings = "os", "arch"
    options: ClassVar = {"shared": [True, False]}
    default_options: ClassVar = {"shared": True}

    @property
    def _checkout(self) -> Path:
        return Path(self.recipe_folder).parents[1]

    def set_version(self) -> None:
        found = re.search(r'^version = "(.+)"$', (self._checkout / "Cargo.toml").read_text(), re.MULTILINE)
        assert found
        self.version = found[1]

    def export_sources(self) -> None:
        copy(self, "*", self._checkout, self.export_sources_folder, excludes=("target/*", ".git/*"))

    def build(self) -> None:
        self.run("make all", cwd=self.source_folder)

    def package(self) -> None:
        built = os.environ.get("PALITRA_LIBRARY_DIR")
        folder = Path(self.source_folder)
        # For export-pkg the recipe's own folder is in the place of the sources.
        source = folder if (folder / "Makefile").exists() else self._checkout
        words = f" PALITRA_LIBRARY_DIR='{built}'" if built else ""
        self.run(f"make install-library PREFIX='{self.package_folder}'{words}", cwd=source)
        copy(self, "LICENSE", source, Path(self.package_folder, "licenses"))
        left_out = ["libpalitra.a", "pkgconfig/palitra-static.pc"]
        if not self.options.shared:
            left_out = ["libpalitra.so*", "pkgconfig/palitra.pc"]
        for pattern in left_out:
            for file in Path(self.package_folder, "lib").glob(pattern):
                file.unlink()

    def package_info(self) -> None:
        # The package's own files for CMake and pkg-config; these here are for other build systems.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/palitra"]
        self.cpp_info.libs = ["palitra"]
        self.cpp_info.system_libs = ["pthread", "dl", "m"]
