#!/bin/sh
# palitra's C++ headers leave no macro behind but their include guards: what is defined after them is what is defined
# after palitra.h and the other headers that they include.
#
#     macros.sh COMPILER [FLAG ...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
headers=$here/../../bindings/cpp/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each header that one of ours includes; those of later standards only where they are.
others() {
    for file in "$@"; do sed -n 's/^#include <\(.*\)>$/\1/p' "$file"; done | sort -u | while read -r header; do
        guard="__has_include(<$header>)"
        if [ "$header" = coroutine ]; then guard="defined(__cpp_impl_coroutine)"; fi
        printf '#if %s\n#include <%s>\n#endif\n' "$guard" "$header"
    done
}

check() { # name, files, compiler and flags
    name=$1 files=$2
    shift 2
    # shellcheck disable=SC2086 # one word a file
    { cd "$headers" && others $files; } >"$work/before.cpp"
    { cat "$work/before.cpp"; printf '#include <palitra%s>\n' "$name"; } >"$work/after.cpp"
    for when in before after; do
        "$@" -I "$headers" -I "$here/../../include" -dM -E "$work/$when.cpp" >"$work/macros"
        sort "$work/macros" >"$work/$when"
    done
    added=$(comm -13 "$work/before" "$work/after" | sed 's/^#define //; s/ .*//')
    for macro in $added; do
        case $macro in
        PALITRA_HPP | PALITRA_*_HPP) ;;
        *) echo "macros.sh: palitra$name defines $macro" >&2 && exit 1 ;;
        esac
    done
    if [ -z "$added" ]; then
        echo "macros.sh: palitra$name was not compiled" >&2
        exit 1
    fi
}

standard="palitra.hpp $(cd "$headers" && find palitra -name '*.hpp' ! -name asio.hpp ! -name execution.hpp | sort)"
check .hpp "$standard" "$@"
check /asio.hpp "$standard palitra/asio.hpp" "$@"
