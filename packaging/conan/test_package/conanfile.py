"""Builds the programs of tests/cpp/installed that need the kind of library that was packaged, and runs one."""

from __future__ import annotations

import os

from conan import ConanFile
from conan.tools.cmake import CMake, cmake_layout


class PalitraTest(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeToolchain"

    def requirements(self) -> None:
        self.requires(self.tested_reference_str)

    def layout(self) -> None:
        cmake_layout(self)

    def build(self) -> None:
        cmake = CMake(self)
        shared = bool(self.dependencies["palitra"].options.shared)
        cmake.configure(variables={"PALITRA_TARGET": "palitra::palitra" if shared else "palitra::static"})
        cmake.build()

    def test(self) -> None:
        self.run(os.path.join(self.cpp.build.bindir, "hello"), env="conanrun")
