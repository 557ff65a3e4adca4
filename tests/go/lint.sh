#!/bin/sh
# gofmt and go vet, without a word from either: make lint-go.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
go=$root/tests/go/go.sh

cd "$root"
# shellcheck disable=SC2046 # one word a file
unformatted=$(GO_DIRECTORY=$root "$go" jobs gofmt -l $(git ls-files '*.go'))
if [ -n "$unformatted" ]; then
    echo "not as gofmt has it: $unformatted" >&2
    exit 1
fi
"$go" jobs go vet ./...
"$go" pkg-config go vet ./...
