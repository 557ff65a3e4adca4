#!/bin/sh
# The tests of the Go binding, called by make test-go: format, vet, the tests plainly, with the race detector and with
# the address sanitizer, each way of linking, and the program of the README.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
go=$root/tests/go/go.sh
limit=-timeout=100s
step() { echo "==== tests/go: $*"; }

step "gofmt"
unformatted=$("$go" jobs gofmt -l .)
if [ -n "$unformatted" ]; then
    echo "not as gofmt has it: $unformatted" >&2
    exit 1
fi

step "go vet"
"$go" jobs go vet ./...
"$go" pkg-config go vet ./...

step "the tests"
"$go" jobs go test -count=1 $limit ./...

step "the tests, with the race detector"
"$go" jobs go test -count=1 $limit -race .

step "the tests, with the address sanitizer"
"$go" jobs go test -count=1 $limit -asan .

step "the examples, linked by pkg-config"
"$go" pkg-config go test -count=1 $limit .

# A module of one's own: the README's program, and one linked without a shared library.
module=$root/target/go/module
rm -rf "$module"
mkdir -p "$module/fetch" "$module/hello"
cat >"$module/go.mod" <<END
module example

go 1.24

require palitra v0.0.0

replace palitra => $root/bindings/go
END
awk '/^```/ { inside = $0 == "```go" && !done; if (!inside && wrote) done = 1; next } inside { print; wrote = 1 }' \
    "$root/bindings/go/README.md" >"$module/fetch/fetch.go"
cp "$root/tests/go/hello.go" "$module/hello/"

step "the program of bindings/go/README.md is a program"
GO_DIRECTORY=$module "$go" pkg-config go vet ./fetch

step "each way of linking"
for link in pkg-config static; do
    GO_DIRECTORY=$module "$go" $link go build -o "$module/hello-$link" ./hello
    said=$("$go" $link "$module/hello-$link")
    if [ "$said" != "$(printf 'hello\n{"seconds":0.1}')" ]; then
        echo "hello-$link said: $said" >&2
        exit 1
    fi
done
if ldd "$module/hello-static" | grep palitra; then
    echo "hello-static needs the shared library" >&2
    exit 1
fi
