#!/bin/sh
# Builds the interpreter of the conformance scenarios in Go, target/go/conformance, for tests/conformance.rs.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/tests/go/go.sh" jobs go build -o "$root/target/go/conformance" ./conformance
