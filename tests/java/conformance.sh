#!/usr/bin/env bash
# Compiles the Java binding of the tree, and its interpreter of the scenarios, to target/java/conformance.
set -euo pipefail
cd "$(dirname "$0")/../.."

javac --release 17 -Xlint:all -Werror -encoding UTF-8 -cp /usr/share/java/jna.jar -d target/java/conformance \
    bindings/java/src/main/java/palitra/*.java tests/conformance/Conformance.java
