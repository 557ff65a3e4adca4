#!/bin/sh
# What `make install` brings, whole: into an empty DESTDIR, used from outside the tree, and taken away again. `make` has
# built all of it before, so that root, who may install, has nothing to build.
#
#     install.sh      PALITRA_LIBRARY_DIR: what is installed (default: target/release)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "package/install.sh: $*" >&2
    exit 1
}

perform() { # target
    "${MAKE:-make}" --no-print-directory -C "$root" "$1" \
        "PALITRA_LIBRARY_DIR=${PALITRA_LIBRARY_DIR:-$root/target/release}" \
        PREFIX=/opt/palitra "DESTDIR=$work/stage" MANDIR=/opt/man >"$work/log" 2>&1 ||
        { cat "$work/log" >&2 && fail "make $1"; }
}

# As in a new checkout.
rm -f "$root/target/THIRD-PARTY.txt"
perform default
# The path that sudo leaves has no cargo of rustup's. Where the system has one, root is not to run it either.
mkdir none
for tool in cargo rustc python3; do
    printf '#!/bin/sh\necho "make install runs %s" >&2\nexit 1\n' "$tool" >"none/$tool"
    chmod +x "none/$tool"
done
(
    PATH=$work/none:/usr/sbin:/usr/bin:/sbin:/bin
    perform install
)
prefix=$work/stage/opt/palitra
for file in bin/palitra lib/libpalitra.so lib/libpalitra.a lib/pkgconfig/palitra.pc lib/pkgconfig/palitra-static.pc \
    lib/cmake/palitra/palitra-config.cmake include/palitra.h include/palitra.hpp include/palitra/adapters/epoll.h \
    share/doc/palitra/LICENSE share/doc/palitra/THIRD-PARTY.txt share/bash-completion/completions/palitra \
    share/zsh/site-functions/_palitra share/fish/vendor_completions.d/palitra.fish ../man/man1/palitra.1 ../man/man3/palitra.3; do
    [ -s "$prefix/$file" ] || fail "no $file"
done

# Each function that the library exports has its page, and each page a line that man's index can read.
nm -D --defined-only "$prefix/lib/libpalitra.so" | awk '{ print $3 }' | while read -r name; do
    page=$work/stage/opt/man/man3/$name.3
    [ -s "$page" ] || fail "no manual page of $name"
    grep -A 1 '^\.SH NAME' "$page" | grep -qF "$name \\- " || fail "the manual page of $name does not say what it does"
done

# A program, a command and a manual that know of no checkout.
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
cp "$root/examples/container/hello.c" "$work"
# shellcheck disable=SC2046 # pkg-config prints words
cc hello.c -o hello $(pkg-config --cflags --libs palitra) "-Wl,-rpath,$prefix/lib"
[ "$(./hello)" = hello ] || fail "a program"
[ "$("$prefix/bin/palitra" run palitra.echo hello)" = hello ] || fail "the command"
page=$work/stage/opt/man/man3/palitra_runner_run.3
if command -v man >/dev/null && [ -n "$(man --warnings -l "$page" 2>&1 >/dev/null)" ]; then
    fail "man has something to say of a page"
fi

perform uninstall
if [ -n "$(find "$work/stage" ! -type d -o -name palitra ! -path "$prefix")" ]; then
    find "$work/stage"
    fail "make uninstall leaves something"
fi
echo "what make install brings works, and make uninstall takes all of it away"
