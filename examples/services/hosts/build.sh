#!/bin/sh
# Compiles the hosts in C, C++ and Go into a folder:
#
#     build.sh FOLDER LIBRARIES
#
# LIBRARIES is the folder of libexample_services.so. GO, if it is set, is the command before `build`.
set -eu

hosts=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$hosts/../../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
libraries=$(cd "$2" && pwd)

link="-L$libraries -lexample_services -Wl,-rpath,$libraries"
# shellcheck disable=SC2086 # the words of link
${CC:-cc} -std=c11 -g -O1 -Wall -Wextra -Werror -pedantic "$hosts/host.c" -o "$folder/host-c" -I"$root/include" $link
# shellcheck disable=SC2086
${CXX:-c++} -std=c++17 -g -O1 -Wall -Wextra -Werror -pedantic "$hosts/host.cpp" -o "$folder/host-cpp" \
    -I"$root/include" -I"$root/bindings/cpp/include" $link

cd "$hosts/go"
CGO_CFLAGS="-O2 -I$root/include" CGO_LDFLAGS=$link ${GO:-go} build -tags palitra_custom -o "$folder/host-go" .
