#!/bin/sh
# Plants one error after the other in the simulated runner (is_planted in the sources) and has the simulation find it: a
# proof that finds nothing proves something only if it finds what is there.
#
#     tests/proof/planted.sh [ERROR...]
#
# Each has to be found within a hundred thousand lives of a runner.
set -eu
cd "$(dirname "$0")/../.."

# shellcheck disable=SC2046 # one word an error
[ $# -gt 0 ] || set -- $(grep -rhoE 'is_planted\("[a-z-]+"\)' src | cut -d '"' -f 2 | sort)
found=0
for error; do
    log=target/simulation/$error.log
    mkdir -p "${log%/*}"
    if PALITRA_PLANTED=$error "${MAKE:-make}" --no-print-directory simulation SEEDS=1000 >"$log" 2>&1; then
        echo "NOT FOUND: $error" >&2
        exit 1
    fi
    grep -m 1 PALITRA_SEED "$log" >/dev/null || { cat "$log" >&2; exit 1; }
    echo "$error: found by seed $(sed -n 's/^PALITRA_SEED=\([0-9]*\) .*/\1/p' "$log" | head -n 1): $(grep -m 1 -A 1 -E "^thread .* panicked" "$log" | tail -n 1 | cut -c 1-70)"
    found=$((found + 1))
done
echo "$found errors were planted, each was found"
