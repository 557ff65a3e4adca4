#!/bin/sh
# The go command of the tests: the toolchain of target/venv-go, nothing from the network, every cache under target.
# Called by test.sh and conformance.sh, and fit for the hand:
#
#     tests/go/go.sh jobs test ./...          linked with the library of tests/jobs, by the build tag
#     tests/go/go.sh library build .          the same with libpalitra, which has the HTTP jobs
#     tests/go/go.sh pkg-config test ./...    linked with libpalitra as `make install` leaves it in target/go/installed
#     tests/go/go.sh static run .             linked with the archive
#
# In the folder bindings/go unless GO_DIRECTORY names another, and from the proxy GO_PROXY, which may be a folder.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
libraries=${PALITRA_LIBRARY_DIR:-$root/target/release}
link=$1
shift

if [ ! -e "$root/target/venv-go/made" ]; then
    make --no-print-directory -C "$root" target/venv-go/made >&2 || {
        echo "tests/go/go.sh: go is missing and could not be installed" >&2
        exit 1
    }
fi
for toolchain in "$root"/target/venv-go/lib/python3*/site-packages/go/bin; do :; done
if [ ! -x "$toolchain/go" ]; then
    echo "tests/go/go.sh: go is missing: there is none in $toolchain" >&2
    exit 1
fi

PATH=$toolchain:$PATH
export GOENV=off GOTOOLCHAIN=local GOPROXY="${GO_PROXY:-off}" GOSUMDB=off GOTELEMETRY=off GOWORK=off
export GOCACHE="$root/target/go/cache" GOPATH="$root/target/go/path"
export CGO_ENABLED=1
# Without flags, unless the way to link has its own: so has a user's go, which compiles its own packages that use C for
# the pages of docs.
unset CGO_CFLAGS CGO_LDFLAGS
case $link in
jobs)
    export GOFLAGS="-mod=mod -tags=palitra_custom,palitra_test_jobs"
    export CGO_CFLAGS="-O2 -I$root/include"
    export CGO_LDFLAGS="-L$libraries -lpalitra_test_jobs -Wl,-rpath,$libraries"
    ;;
library)
    export GOFLAGS="-mod=mod -tags=palitra_custom"
    export CGO_CFLAGS="-O2 -I$root/include"
    export CGO_LDFLAGS="-L$libraries -lpalitra -Wl,-rpath,$libraries"
    ;;
pkg-config)
    export GOFLAGS=-mod=mod
    export PKG_CONFIG_PATH="$root/target/go/installed/lib/pkgconfig"
    export LD_LIBRARY_PATH="$root/target/go/installed/lib"
    ;;
static)
    export GOFLAGS="-mod=mod -tags=palitra_custom"
    export CGO_CFLAGS="-O2 -I$root/include"
    export CGO_LDFLAGS="$libraries/libpalitra.a -lm"
    ;;
*)
    echo "tests/go/go.sh: link with jobs, library, pkg-config or static, not $link" >&2
    exit 1
    ;;
esac
cd "${GO_DIRECTORY:-$root/bindings/go}"
exec "$@"
