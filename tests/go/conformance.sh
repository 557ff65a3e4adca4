#!/bin/sh
# The conformance scenarios in Go: builds bindings/go/conformance if need be and has it carry out a file of steps.
# Called by tests/conformance.rs:
#
#     tests/go/conformance.sh FILE
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/tests/go/go.sh" jobs go build -o "$root/target/go/conformance" ./conformance
exec "$root/target/go/conformance" "$1"
