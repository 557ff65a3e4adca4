#!/bin/sh
# The examples in C++ and the programs of the binding's README compile without a warning and do what they say; the
# examples on the pages of examples/c/serve.py.
#
#     examples.sh     PALITRA_LIBRARY_DIR: where libpalitra.so is (default: target/release)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
libraries=${PALITRA_LIBRARY_DIR:-$root/target/release}
work=$(mktemp -d)
server=

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

fail() {
    echo "examples.sh: $*" >&2
    exit 1
}

compile() { # standard, source, program
    "${CXX:-g++}" "-std=$1" -Wall -Wextra -Wpedantic -Werror "$2" -o "$3" -I "$root/include" \
        -I "$root/bindings/cpp/include" -L "$libraries" -Wl,-rpath,"$libraries" -lpalitra -pthread
}

for example in download coroutines; do
    compile c++20 "$root/examples/cpp/$example.cpp" "$work/$example"
done

# A block of the README that is a program says its name in its first line.
for program in hello calls pages; do
    awk -v name="// $program.cpp" '/^```cpp$/ { getline; if (index($0, name) == 1) inside = 1 }
        /^```$/ { inside = 0 } inside' "$root/bindings/cpp/README.md" >"$work/$program.cpp"
    compile c++17 "$work/$program.cpp" "$work/$program"
    timeout 60 "$work/$program" >"$work/$program.out" || fail "the README's $program.cpp does not work"
done
[ "$(cat "$work/hello.out")" = 'hello
{"seconds":0.1}' ] || fail "the README's hello.cpp says $(cat "$work/hello.out")"
[ "$(cat "$work/pages.out")" = hello ] || fail "the README's pages.cpp says $(cat "$work/pages.out")"
grep -q '^a future$' "$work/calls.out" || fail "the README's calls.cpp says $(cat "$work/calls.out")"

python3 "$root/examples/c/serve.py" >"$work/base" &
server=$!
tries=0
until [ -s "$work/base" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then fail "serve.py did not start"; fi
    sleep 0.1
done
base=$(cat "$work/base")
export NO_PROXY=127.0.0.1 # a proxy of the machine's is not for this server

timeout 60 "$work/download" "$work/files" "$base/small" "$base/slow" "$base/large" "$base/moved" >"$work/out" ||
    fail "download: $(cat "$work/out")"
for file in 1-small:100 2-slow:1000 3-large:1000000 4-moved:100; do
    [ "$(wc -c <"$work/files/${file%:*}")" -eq "${file#*:}" ] || fail "download: $file is of another size"
done
[ "$(wc -l <"$work/out")" -eq 4 ] || fail "download says $(cat "$work/out")"

code=0
timeout 60 "$work/download" "$work/files" "$base/small" http://127.0.0.1:1/nobody >"$work/out" || code=$?
[ $code -eq 1 ] || fail "download exits with $code though one failed"
grep -q '^failed: http://127.0.0.1:1/nobody' "$work/out" || fail "download says $(cat "$work/out")"
code=0
"$work/download" 2>/dev/null || code=$?
[ $code -eq 2 ] || fail "download exits with $code for wrong usage"

timeout 60 "$work/coroutines" "$base/small" "$base/slow" "$base/slow" http://127.0.0.1:1/nobody >"$work/out" ||
    fail "coroutines: $(cat "$work/out")"
[ "$(grep -c '/slow: 1000 bytes$' "$work/out")" -eq 2 ] || fail "coroutines says $(cat "$work/out")"
grep -q '^meanwhile the timer ticked on$' "$work/out" || fail "coroutines says $(cat "$work/out")"

echo "the examples in C++ do what they say"
