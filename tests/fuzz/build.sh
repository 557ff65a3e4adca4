#!/bin/sh
# Builds libpalitra.so for fuzzing: into the target directory given. The coverage of src/ is counted, and the address
# sanitizer watches its accesses and every allocation; what palitra depends on is built as always. The fuzzing programs
# bring the sanitizer's and the fuzzer's own parts.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:?where to}
triple=$(rustc -vV | sed -n 's/^host: //p')
library=$target/$triple/release/libpalitra.so

coverage="-sanitizer-coverage-level=3 -sanitizer-coverage-inline-8bit-counters -sanitizer-coverage-pc-table"
coverage="$coverage -sanitizer-coverage-trace-compares"
flags="-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer -Cpasses=sancov-module"
for argument in $coverage; do
    flags="$flags -Cllvm-args=$argument"
done
# shellcheck disable=SC2086 # The flags are words.
RUSTC_BOOTSTRAP=1 cargo rustc --quiet --manifest-path "$root/Cargo.toml" --release --lib --crate-type cdylib \
    --config 'profile.release.lto="off"' --config 'profile.release.codegen-units=16' \
    --config 'profile.release.opt-level=1' --config 'profile.release.debug="line-tables-only"' \
    --config 'profile.release.debug-assertions=true' --config 'profile.release.overflow-checks=true' \
    --target "$triple" --target-dir "$target" -- $flags

instrumented=$(nm -D --undefined-only "$library" | grep -c -e __asan_ -e __sanitizer_cov_) || true
if [ "$instrumented" -lt 10 ]; then
    echo "fuzz/build.sh: $library is not built for fuzzing: $instrumented functions of the sanitizers are called" >&2
    exit 1
fi
