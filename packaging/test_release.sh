#!/bin/sh
# Uses what `make release` made as somebody who downloaded it would: far from the tree, and with nothing of it but what
# the pages of docs/ show.
#
#     packaging/test_release.sh FOLDER
#
# Checks the sums; does what docs/packages.md shows with the programs of the pages in C, C++, Go, Python, Node and Rust;
# links a C program with the archive; installs the gem, unpacks the packages of PHP, Lua and Perl, and runs a job in each
# and with the jar; and looks for the licences in every archive. It names what failed.
set -eu

pages=$(cd "$(dirname "$0")/../docs" && pwd)
toolchain=$(echo "$pages"/../target/venv-go/lib/python3*/site-packages/go/bin)
files=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing of the tree may be found by accident.
unset PALITRA_LIBRARY PALITRA_LIBRARY_DIR LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH PYTHONPATH NODE_PATH

step() { echo "release: $1"; }
fail() { echo "release: $1" >&2; exit 1; }
prints() { # what it is to print, and the command
    expected=$1
    shift
    printed=$("$@") || fail "$* failed"
    [ "$printed" = "$expected" ] || fail "$* printed: $printed"
}

step 'the sums'
(cd "$files" && sha256sum --check --quiet --strict SHA256SUMS)
listed=$(cut -c 67- "$files/SHA256SUMS")
there=$(cd "$files" && LC_ALL=C ls -I SHA256SUMS)
[ "$listed" = "$there" ] || fail "SHA256SUMS does not list what is there: $there"

step 'the programs of the pages'
program() { # page, file: the block of the page whose first line names the file
    mkdir -p "$(dirname "$2")"
    awk -v name="$2:" '/^```[a-z]/ { getline; inside = index($0, name) } /^```$/ { inside = 0 } inside' "$pages/$1" >"$2"
    [ -s "$2" ] || fail "docs/$1 has no program $2"
}
program c.md hello.c
program cpp.md hello.cpp
program go.md hello-go/main.go
program python.md hello.py
program node.md hello.mjs
program rust.md hello-rust/src/main.rs
awk '/^## / { here = $0 == "## From a release" } /^```/ { inside = 0 } here && inside; /^```console$/ { inside = 1 }' \
    "$pages/packages.md" >commands.sh
ln -s "$files" release
cp "$pages/../Cargo.lock" hello-rust # The versions of crates that this machine has.
PATH=$toolchain:$PATH GOENV=off GOTOOLCHAIN=local GOPROXY=off GOFLAGS='' GOPATH=$work/go GOCACHE=$work/go-cache \
    sh -eu commands.sh >printed 2>log || { cat log && fail 'docs/packages.md'; }
json='hello
{"seconds":0.1}'
expected="$json
$json
$json
hello
{'seconds': 0.1}
hello
{ seconds: 0.1 }
TimeoutError
$json"
[ "$(cat printed)" = "$expected" ] || fail "the programs of the pages printed: $(cat printed)"

step 'the archive and the command'
tree=$(echo palitra-*-linux-gnu)
libraries=$tree/lib
# shellcheck disable=SC2046 # one word a flag
cc -Wall -Werror hello.c -o static $(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --cflags --libs palitra-static)
prints "$json" ./static
prints hello env -u LD_LIBRARY_PATH "$tree/bin/palitra" run palitra.echo hello

step 'the gem'
gem install --quiet --silent --local --no-document --ignore-dependencies --install-dir gems "$files"/palitra-*.gem
prints hello env GEM_PATH="$work/gems:$(gem env gempath)" ruby -e 'require "palitra"; puts Palitra.run("palitra.echo", "hello")'

step 'the package of PHP'
mkdir php
tar -xzf "$files"/palitra-php-*.tar.gz -C php
cat >php/hello.php <<'PROGRAM'
<?php
require __DIR__ . '/palitra/autoload.php';
echo Palitra\run('palitra.echo', 'hello'), "\n";
PROGRAM
prints hello php php/hello.php

step 'the sources for Lua and Perl'
for language in lua perl; do tar -xzf "$files/palitra-$language"-*.tar.gz; done
prints hello env LD_LIBRARY_PATH="$libraries" LUA_PATH="$work/palitra-lua/?.lua;$work/palitra-lua/?/init.lua;;" \
    luajit -e 'print(require("palitra").run("palitra.echo", "hello"))'
prints hello env LD_LIBRARY_PATH="$libraries" \
    perl -Ipalitra-perl/lib -MPalitra -e 'print Palitra::run("palitra.echo", "hello"), "\n"'

step 'the jar'
cat >Hello.java <<'PROGRAM'
class Hello {
  public static void main(String[] arguments) throws InterruptedException {
    System.out.println(palitra.Palitra.run("palitra.echo", "hello").text());
  }
}
PROGRAM
jar=$(echo "$files"/palitra-*.jar)
prints hello env PALITRA_LIBRARY="$work/$libraries/libpalitra.so" java -cp "$jar:/usr/share/java/jna.jar" Hello.java

step 'the licences'
holds() { # the list of an archive, and its name
    echo "$1" | grep -q 'THIRD-PARTY.txt$' || fail "$2 has no THIRD-PARTY.txt"
}
for archive in "$files"/palitra-*-linux-*.tar.gz "$files"/palitra-[0-9]*.tgz "$files"/palitra-[0-9.]*[0-9].tar.gz \
    "$files"/palitra-php-*.tar.gz; do
    holds "$(tar -tzf "$archive")" "$archive"
done
holds "$(tar -xOf "$files"/palitra-*.gem data.tar.gz | tar -tz)" "the gem"
for wheel in "$files"/palitra-*.whl; do holds "$(python3 -m zipfile -l "$wheel" | awk '{ print $1 }')" "$wheel"; done

step 'the crates'
for crate in "$files"/palitra-macros-*.crate "$files"/palitra-[0-9]*.crate; do
    tar -tzf "$crate" | grep -q '/src/lib.rs$' || fail "$crate has no source"
    tar -xOzf "$crate" --wildcards '*/Cargo.toml' | grep -q '^license = ' || fail "$crate has no licence"
done
step 'all of it works'
