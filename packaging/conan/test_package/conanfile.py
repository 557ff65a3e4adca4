"""Builds a program with the library that was packaged, and runs it."""

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
        cmake.configure()
        cmake.build()

    def test(self) -> None:
        self.run(os.path.join(self.cpp.build.bindir, "hello"), env="conanrun")
