#!/bin/sh
# The tests of the Go binding, called by make test-go: plainly and with the race detector, each way of linking, and the
# program of the README. -v names each test that ran, for who counts them. What vet has to say is for lint.sh.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
go=$root/tests/go/go.sh
step() { echo "==== tests/go: $*"; }

go_test() { # a way to link, and words for go test
    link=$1
    shift
    "$go" "$link" go test -v -vet=off -count=1 -timeout=200s "$@"
}

# Under contexts that never end and under ones that can, which go other ways through the binding: one of them with the
# detector of races, or, for test-long, both in every way, and with the address sanitizer, for which Go compiles its
# library anew.
run_under() { # contexts, and words for go test
    PALITRA_TEST_CONTEXT=$1
    export PALITRA_TEST_CONTEXT
    shift
    step "the tests ($PALITRA_TEST_CONTEXT) $*"
    go_test jobs "$@"
}

run_under never ./...
run_under ending -race .
if [ -n "${PALITRA_TEST_LONG:-}" ]; then
    run_under ending ./...
    run_under never -race .
    run_under ending -asan .
    run_under never -asan .
fi
unset PALITRA_TEST_CONTEXT

step "the examples, linked by pkg-config"
go_test pkg-config .

# A module of one's own: the README's program, and one linked without a shared library.
module=$root/target/go/module
rm -rf "$module"
mkdir -p "$module/fetch" "$module/hello"
cat >"$module/go.mod" <<END
module example

go 1.24

require palitra.example/bindings/go v0.0.0

replace palitra.example/bindings/go => $root/bindings/go
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

step "a release of the module, taken by go get"
"$root/tests/go/module.sh"
