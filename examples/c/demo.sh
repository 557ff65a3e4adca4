#!/bin/sh
# Compiles fetch.c with the system's compiler and runs it on the URLs given, or, where none is given, on the
# pages of serve.py, which it starts and stops; so it works without a network.
#
#     demo.sh [url ...]       PALITRA_LIBRARY_DIR: where libpalitra.so is (default: target/release)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
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
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts serve.py and waits, ten seconds at most, for the base URL that it prints.
start_server() {
    python3 "$here/serve.py" >"$work/base" &
    server=$!
    tries=0
    until [ -s "$work/base" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
            echo "demo: serve.py did not start" >&2
            exit 1
        fi
        sleep 0.1
    done
    base=$(cat "$work/base")
    export NO_PROXY=127.0.0.1 # requests to this server go around a proxy of the machine
}

${CC:-cc} -std=c11 -O2 -Wall -Wextra -o "$work/fetch" "$here/fetch.c" \
    -I "$root/include" -L "$libraries" -Wl,-rpath,"$libraries" -lpalitra

if [ $# -eq 0 ]; then
    start_server
    set -- "$base/small" "$base/slow" "$base/large" "$base/slow" "$base/moved" "$base/small"
fi
"$work/fetch" "$@"
