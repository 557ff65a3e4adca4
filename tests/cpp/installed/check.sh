#!/bin/sh
# What `make install` leaves is whole: projects of their own, beside no checkout, find it by CMake and by pkg-config,
# also after it was moved.
#
#     check.sh        PALITRA_LIBRARY_DIR: what is installed (default: target/release)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
cxx=${CXX:-c++}

fail() {
    echo "installed/check.sh: $*" >&2
    exit 1
}

install() { # words for make
    "${MAKE:-make}" --no-print-directory -C "$root" install-library \
        "PALITRA_LIBRARY_DIR=${PALITRA_LIBRARY_DIR:-$root/target/release}" "$@" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2 && fail "make install-library $*"; }
}

expected=
says_the_same() { # program: the same as the one before
    printed=$("$@")
    case $printed in
    [1-9]*" installed") ;;
    *) fail "$1 prints $printed" ;;
    esac
    [ "${expected:=$printed}" = "$printed" ] || fail "$1 prints $printed, another prints $expected"
}

# As it comes, and then moved away from where it was installed to.
install PREFIX="$work/first"
mv "$work/first" "$work/moved"
prefix=$work/moved
if grep -rlI "$work/first" "$prefix"; then fail "a file names the prefix"; fi
for folder in "${CARGO_HOME:-$HOME/.cargo}" "$root"; do
    if grep -rlaF "$folder/" "$prefix"; then fail "a file names a folder of the builder's, $folder"; fi
done
nm -D --undefined-only "$prefix/lib/libpalitra.so" | grep -q __stack_chk_fail ||
    fail "C was compiled in without a stack protector"
soname=$(readelf -d "$prefix/lib/libpalitra.so" | sed -n 's/.*soname: \[\(.*\)\].*/\1/p')
abi=$(sed -n 's/^#define PALITRA_ABI_VERSION //p' "$prefix/include/palitra.h")
[ "$soname" = "libpalitra.so.$abi" ] || fail "the SONAME $soname has not the number of the ABI, $abi"
[ "$(readlink "$prefix/lib/libpalitra.so")" = "$soname" ] || fail "libpalitra.so is no link to its SONAME"

if ! { cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" && cmake --build "$work/cmake"; } >"$work/log" 2>&1; then
    cat "$work/log" >&2
    fail cmake
fi
says_the_same "$work/cmake/plain"
says_the_same "$work/cmake/native"
says_the_same "$work/cmake/alone"
if ldd "$work/cmake/alone" | grep palitra; then fail "palitra::static is linked with the shared library"; fi

# A project that asks for certain versions or components, of a prefix, for C alone.
finds() { # prefix, what to ask for, more for CMake
    found=$1 words=$2
    shift 2
    rm -rf "$work/asks"
    mkdir "$work/asks"
    cp "$here/plain.c" "$work/asks"
    {
        echo 'cmake_minimum_required(VERSION 3.19)'
        echo 'project(asks LANGUAGES C)'
        echo "find_package(palitra $words REQUIRED)"
        echo 'add_executable(asks plain.c)'
        echo 'target_link_libraries(asks PRIVATE palitra::static)'
    } >"$work/asks/CMakeLists.txt"
    cmake -S "$work/asks" -B "$work/asks/build" -DCMAKE_PREFIX_PATH="$found" -DCMAKE_C_COMPILER="$cc" "$@" \
        >"$work/log" 2>&1
}

version=$(sed -n 's/^set(PACKAGE_VERSION "\(.*\)")/\1/p' "$prefix/lib/cmake/palitra/palitra-config-version.cmake")
for words in 0.1 "$version EXACT" 0.1...0.99 "0.1...$version" '0.1...<0.99' 'COMPONENTS c shared static cpp' \
    '0.1 COMPONENTS static OPTIONAL_COMPONENTS other'; do
    finds "$prefix" "$words" || { cat "$work/log" >&2 && fail "CMake does not find palitra $words"; }
done
# A version that does not exist yet, one of another ABI, ranges that it is not in, and a component that there is not.
for words in 0.99 7.0 0.99...1.0 0.1...0.1.9 "0.1...<$version" 'COMPONENTS cpp other'; do
    if finds "$prefix" "$words"; then fail "CMake takes it for palitra $words"; fi
done
grep -q 'no component other' "$work/log" || { cat "$work/log" >&2 && fail "CMake does not say which component is missing"; }

# The archive needs no runtime of C++.
if ! { finds "$prefix" 'COMPONENTS static' && cmake --build "$work/asks/build" --verbose >"$work/log" 2>&1; }; then
    cat "$work/log" >&2
    fail "the archive alone"
fi
says_the_same "$work/asks/build/asks"
if grep -- -lstdc++ "$work/log" || ldd "$work/asks/build/asks" | grep -e stdc++ -e palitra; then
    fail "palitra::static is linked with a runtime of C++, or with the shared library"
fi

# A packager may leave out one of the two libraries.
cp -r "$prefix" "$work/archive-alone"
rm "$work/archive-alone"/lib/libpalitra.so*
finds "$work/archive-alone" 'COMPONENTS c cpp static' ||
    { cat "$work/log" >&2 && fail "CMake does not find the archive alone"; }
sed -i 's/palitra::static/palitra::palitra/' "$work/asks/CMakeLists.txt"
if ! { cmake -S "$work/asks" -B "$work/asks/build" && cmake --build "$work/asks/build"; } >"$work/log" 2>&1; then
    cat "$work/log" >&2
    fail "palitra::palitra is not the archive where that is all"
fi
says_the_same "$work/asks/build/asks"
if finds "$work/archive-alone" 'COMPONENTS shared'; then fail "CMake finds a shared library that is not there"; fi

# Through a link as that of a merged /usr: /lib is usr/lib.
mkdir "$work/root"
ln -s "$prefix" "$work/root/usr"
ln -s usr/lib "$work/root/lib"
if ! { finds "$work/root" '' -Dpalitra_DIR="$work/root/lib/cmake/palitra" &&
    cmake --build "$work/asks/build" >"$work/log" 2>&1; }; then
    cat "$work/log" >&2
    fail "CMake does not find it through /lib"
fi
says_the_same "$work/asks/build/asks"

# A library for another width of pointers, by the class in its header: not for this machine's programs.
mkdir "$work/narrow"
cp "${PALITRA_LIBRARY_DIR:-$root/target/release}"/libpalitra.* "$work/narrow"
printf '\001' | dd of="$work/narrow/libpalitra.so" bs=1 seek=4 conv=notrunc 2>/dev/null
install PREFIX="$work/cross" PALITRA_LIBRARY_DIR="$work/narrow"
if finds "$work/cross" ''; then fail "CMake takes a library of 32 bits for one of 64"; fi
grep -q '32bit' "$work/log" || grep -q 'considered but not accepted' "$work/log" ||
    { cat "$work/log" >&2 && fail "CMake does not refuse the width of the pointers"; }

# The archive exports the C ABI alone, so a program may have another Rust static library, however that was optimised.
if nm -g --defined-only "$prefix/lib/libpalitra.a" | awk 'NF == 3 { print $3 }' | grep -v '^palitra_'; then
    fail "the archive exports what is not of the C ABI"
fi
for lto in off fat; do
    rustc --edition 2024 -O -C lto=$lto --crate-type staticlib "$here/other.rs" -o "$work/libother.a"
    for archives in "$prefix/lib/libpalitra.a $work/libother.a" "$work/libother.a $prefix/lib/libpalitra.a"; do
        # shellcheck disable=SC2086 # two files
        "$cc" "$here/beside.c" -o "$work/beside" -I "$prefix/include" $archives -lpthread -ldl -lm
        [ "$("$work/beside")" = "${expected% *} 4" ] || fail "beside another Rust library: $("$work/beside")"
    done
done

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
pkg-config --exists 'palitra >= 0.1' || fail "pkg-config does not find it"
libraries=$(pkg-config --variable=libdir palitra)
# shellcheck disable=SC2046 # pkg-config prints words
{
    "$cc" "$here/plain.c" -o "$work/plain" $(pkg-config --cflags --libs palitra) "-Wl,-rpath,$libraries"
    "$cxx" -std=c++17 "$here/native.cpp" -o "$work/native" $(pkg-config --cflags --libs palitra) -pthread "-Wl,-rpath,$libraries"
    # The linker says that getaddrinfo of a static program needs the system's libraries.
    "$cc" -static "$here/plain.c" -o "$work/static" $(pkg-config --static --cflags --libs palitra) 2>/dev/null
    "$cc" "$here/plain.c" -o "$work/archive" $(pkg-config --cflags --libs palitra-static)
}
says_the_same "$work/plain"
says_the_same "$work/native"
says_the_same "$work/static"
says_the_same "$work/archive"
if ldd "$work/archive" | grep palitra; then fail "palitra-static is linked with the shared library"; fi

# Every header on its own, under the name that a user includes it by.
(cd "$prefix/include" && find . -name '*.hpp' ! -name asio.hpp ! -name execution.hpp -o -name 'palitra.h' -o -name drain.h -o -name epoll.h) |
    while read -r header; do
        printf '#include <%s>\n' "${header#./}" |
            "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only -I "$prefix/include" -x c++ - ||
            fail "$header does not stand alone"
    done

# A packager's: below DESTDIR, with the libraries in another folder.
install PREFIX=/usr DESTDIR="$work/package" LIBDIR=lib/some-linux-gnu
export PKG_CONFIG_SYSROOT_DIR="$work/package"
PKG_CONFIG_PATH="$work/package/usr/lib/some-linux-gnu/pkgconfig"
# shellcheck disable=SC2046 # pkg-config prints words
"$cc" "$here/plain.c" -o "$work/plain" -I "$work/package/usr/include" $(pkg-config --cflags --libs palitra) \
    "-Wl,-rpath,$work/package/usr/lib/some-linux-gnu"
says_the_same "$work/plain"
unset PKG_CONFIG_SYSROOT_DIR
if pkg-config --cflags palitra | grep -e -I; then fail "pkg-config prints the system's folder of headers"; fi
rm -r "$work/cmake"
if ! { cmake -S "$here" -B "$work/cmake" -Dpalitra_DIR="$work/package/usr/lib/some-linux-gnu/cmake/palitra" &&
    cmake --build "$work/cmake" --target native; } >/dev/null; then
    fail "cmake, with LIBDIR"
fi
says_the_same "$work/cmake/native"

# Folders that are nowhere below the prefix, and then all of it removed.
PKG_CONFIG_PATH=$work/elsewhere/lib/pkgconfig
install PREFIX="$work/apart" LIBDIR="$work/elsewhere/lib" INCLUDEDIR="$work/elsewhere/include"
# shellcheck disable=SC2046 # pkg-config prints words
"$cc" "$here/plain.c" -o "$work/plain" $(pkg-config --cflags --libs palitra-static)
says_the_same "$work/plain"
if ! { finds "$work/elsewhere" '' && cmake --build "$work/asks/build" >"$work/log" 2>&1; }; then
    cat "$work/log" >&2
    fail "CMake does not find it where LIBDIR and INCLUDEDIR are apart"
fi
says_the_same "$work/asks/build/asks"
"${MAKE:-make}" --no-print-directory -C "$root" uninstall PREFIX="$work/apart" LIBDIR="$work/elsewhere/lib" \
    INCLUDEDIR="$work/elsewhere/include" >"$work/log"
if [ -n "$(find "$work/apart" "$work/elsewhere" ! -type d -o -name palitra)" ]; then
    find "$work/apart" "$work/elsewhere"
    fail "make uninstall leaves something"
fi

echo "what is installed is found by CMake and pkg-config, and can be moved"
