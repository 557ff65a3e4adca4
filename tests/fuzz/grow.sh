#!/bin/sh
# Makes tests/fuzz/grown anew: of all inputs that fuzzing has found, the fewest that reach what all of them reach.
#
#     tests/fuzz/grow.sh FOLDER
#
# FOLDER holds the fuzzing programs that count the edges of src, and what they found in FOLDER/found.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?where the programs are}

export RUST_BACKTRACE=0
for target in abi http; do
    new=$folder/grown/$target
    log=$folder/$target.log
    rm -rf "$new"
    mkdir -p "$new" "$folder/found/$target"
    "$folder/fuzz-$target" -set_cover_merge=1 -use_counters=0 -max_len=600 -timeout=120 -rss_limit_mb=4096 \
        -artifact_prefix="$folder/found/" "$new" "$here/corpus/$target" "$here/grown/$target" "$folder/found/$target" \
        >"$log" 2>&1 || { tail -60 "$log"; exit 1; }
    rm -rf "$here/grown/$target"
    cp -r "$new" "$here/grown/$target"
    echo "$target: $(find "$new" -type f | wc -l) inputs"
done
