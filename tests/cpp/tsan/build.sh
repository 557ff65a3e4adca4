#!/bin/sh
# Builds libpalitra_test_jobs.so, with all of libpalitra in it, for ThreadSanitizer: into the target directory given.
#
# The library is instrumented, Rust's standard library is not: std_sync.c says for it what it does. Whether the
# result is what it should be is tested: `instrumented` here, and a race that is there to be found (endings.cpp).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${1:?where to}
triple=$(rustc -vV | sed -n 's/^host: //p')
library=$target/$triple/release/libpalitra_test_jobs.so

# What std_sync.c says of an Arc would hide a count of palitra's own that wants a fence.
if grep -rn 'fetch_sub(.*Ordering::Release)' "$root/src"; then
    echo "tsan/build.sh: std_sync.c stands in the way of checking this" >&2
    exit 1
fi

# The one function of std whose mangled name ends like this. (readelf, because nm may read the bitcode beside it.)
std_name() {
    names=$(readelf -sW "$(rustc --print sysroot)/lib/rustlib/$triple"/lib/libstd-*.rlib 2>/dev/null |
        awk -v end="$1" '$4 == "FUNC" && $7 != "UND" && $8 ~ end "$" { print $8 }' | sort -u)
    if [ "$(echo "$names" | wc -w)" -ne 1 ]; then
        echo "tsan/build.sh: std has not one function $1: $names" >&2
        exit 1
    fi
    echo "$names"
}

lock=$(std_name '5mutex5futex.*Mutex14lock_contended')
wait=$(std_name '3sys4sync7condvar5futex.*Condvar4wait')
timeout=$(std_name '3sys4sync7condvar5futex.*Condvar12wait_timeout')
once=$(std_name '4once5futex.*Once4call')
read=$(std_name '6rwlock5futex.*RwLock14read_contended')
write=$(std_name '6rwlock5futex.*RwLock15write_contended')

mkdir -p "$target"
object=$(cd "$target" && pwd)/std_sync.o
"${CC_TSAN:-clang}" -std=c11 -Wall -Wextra -Werror -O1 -fPIC -fexceptions -c "$here/std_sync.c" -o "$object" \
    "-DLOCK_CONTENDED=\"$lock\"" "-DCONDVAR_WAIT=\"$wait\"" "-DCONDVAR_WAIT_TIMEOUT=\"$timeout\"" \
    "-DONCE_CALL=\"$once\"" "-DREAD_CONTENDED=\"$read\"" "-DWRITE_CONTENDED=\"$write\""

flags="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -Clink-arg=$object"
for name in "$lock" "$wait" "$timeout" "$once" "$read" "$write" __tsan_atomic64_fetch_sub; do
    flags="$flags -Clink-arg=-Wl,--wrap=$name"
done
# Without link-time optimisation: that inlines the functions to be wrapped. A little of the other is enough.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" cargo rustc --quiet --manifest-path "$root/Cargo.toml" --release \
    --config 'profile.release.lto="off"' --config 'profile.release.codegen-units=16' \
    --config 'profile.release.opt-level=1' --config 'profile.release.debug="line-tables-only"' \
    --package palitra-test-jobs --crate-type cdylib --target "$triple" --target-dir "$target"

instrumented=$(nm -D --undefined-only "$library" | grep -c __tsan_) || true
if [ "$instrumented" -lt 20 ]; then
    echo "tsan/build.sh: $library is not built for ThreadSanitizer: $instrumented of its functions are called" >&2
    exit 1
fi
