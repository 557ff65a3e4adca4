#!/bin/sh
# Uses what `make release` made as somebody who downloaded it would: far from the tree, and with nothing of it.
#
#     packaging/test_release.sh FOLDER
#
# Checks the sums, then links a C program with the unpacked tarball, shared and static; installs the wheel, the npm
# package and the gem, unpacks the package of PHP, and runs a job in each and with the jar; and looks for the licences in
# every archive. It names what failed.
set -eu

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

step 'the tarball'
mkdir tree
tar -xzf "$files"/palitra-*-linux-*.tar.gz -C tree --strip-components=1
cat >hello.c <<'PROGRAM'
#include <palitra.h>
#include <stdio.h>

int main(void) {
    palitra_runner none = {0};
    palitra_runner runner = none;
    palitra_reply reply;
    if (palitra_runner_global(&runner) != PALITRA_OK) return 1;
    if (palitra_runner_run(runner, "palitra.echo", "hello", 5, PALITRA_SECONDS(10), &reply) != PALITRA_OK) return 2;
    printf("%.*s\n", (int)reply.len, (const char *)reply.data);
    palitra_reply_free(&reply);
    return 0;
}
PROGRAM
config=$(dirname "$(find tree -name palitra.pc)")
flags=$(PKG_CONFIG_PATH=$config pkg-config --cflags --libs palitra)
libraries=$(dirname "$(find tree -name 'libpalitra.so')")
# shellcheck disable=SC2086 # one word a flag
cc -Wall -Werror hello.c -o shared $flags "-Wl,-rpath,$work/$libraries"
prints hello ./shared
# shellcheck disable=SC2046 # the same
cc -Wall -Werror hello.c -o static $(PKG_CONFIG_PATH=$config pkg-config --cflags --libs palitra-static)
prints hello ./static
prints hello tree/bin/palitra run --library "$libraries/libpalitra.so" palitra.echo hello

step 'the wheel'
python3 -m venv python
python/bin/python -m pip install --quiet --disable-pip-version-check --no-index "$files"/palitra-*.whl
prints hello python/bin/python -c 'import palitra; print(palitra.run(palitra.job("palitra.echo", "hello")).decode())'

step 'the npm package'
mkdir node
(cd node && npm install --silent --offline --no-audit --no-fund "$files"/palitra-*.tgz >/dev/null)
cat >node/hello.mjs <<'PROGRAM'
import { run } from "palitra";
console.log(Buffer.from(await run("palitra.echo", "hello")).toString());
PROGRAM
prints hello node node/hello.mjs

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
