#!/bin/sh
# `go get` takes the module from a proxy, and a program outside of the tree is built with it, called by test.sh. The
# proxy is a folder laid out as a release would be, under the address of a repository that the module does not have yet:
# it gets that address in the way that docs/go.md shows.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
go=$root/tests/go/go.sh
address=forge.test/somebody/palitra
path=$address/bindings/go
version=v0.2.0
place=$root/target/go/proxied

rm -rf "$place"
mkdir -p "$place/tree" "$place/program" "$place/proxy/$path/@v"
(cd "$root" && git ls-files -z -- bindings/go tests/go/hello.go | xargs -0 cp --parents -t "$place/tree")

# What docs/go.md shows, which also searches a repository with git.
git -C "$place/tree" init --quiet
git -C "$place/tree" add .
rename=$(grep '^git grep -lz palitra.example' "$root/docs/go.md" | sed "s|HOST/OWNER/palitra|$address|")
(cd "$place/tree" && sh -eu -c "$rename")

cp "$place/tree/bindings/go/go.mod" "$place/proxy/$path/@v/$version.mod"
echo "{\"Version\": \"$version\"}" >"$place/proxy/$path/@v/$version.info"
echo "$version" >"$place/proxy/$path/@v/list"
# An archive of the files by what they will be: MODULE@VERSION/FILE.
python3 - "$place/tree/bindings/go" "$path@$version" "$place/proxy/$path/@v/$version.zip" <<'PYTHON'
import pathlib, sys, zipfile

tree, prefix, archive = sys.argv[1:]
with zipfile.ZipFile(archive, "w") as packed:
    for file in sorted(pathlib.Path(tree).rglob("*")):
        if file.is_file():
            packed.write(file, f"{prefix}/{file.relative_to(tree)}")
PYTHON

cp "$place/tree/tests/go/hello.go" "$place/program/"
# A cache of its own, which has no module of an earlier run, and which can be removed.
# shellcheck disable=SC2016 # the shell that go.sh starts expands it
command='export GOMODCACHE=$PWD/modules GOFLAGS=-modcacherw
    go mod init hello && go get "$1" && go mod verify && go build -o hello . && ./hello'
said=$(GO_DIRECTORY=$place/program GO_PROXY=file://$place/proxy "$go" pkg-config sh -eu -c "$command" sh "$path@$version")
if [ "$said" != "$(printf 'all modules verified\nhello\n{"seconds":0.1}')" ]; then
    echo "what was built with the module that go get took said: $said" >&2
    exit 1
fi
