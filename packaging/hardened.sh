#!/bin/sh
# Fails on an ELF file that a loader would leave easier to attack than it must be: every library and program that
# palitra ships is position-independent, has full RELRO (its tables of addresses are read-only once it is loaded, which
# BIND_NOW makes possible), no stack that can be executed, no segment that is writable and executable, no relocations
# in its code, and no path of the machine that built it where it looks for libraries.
#
#     packaging/hardened.sh FILE...
set -eu

complain() {
    echo "$file: $1" >&2
    failed=1
}

failed=
for file in "$@"; do
    header=$(LC_ALL=C readelf --file-header --wide "$file")
    segments=$(LC_ALL=C readelf --program-headers --wide "$file")
    dynamic=$(LC_ALL=C readelf --dynamic --wide "$file")
    case $header in *'Type: '*DYN*) ;; *) complain 'is not position-independent' ;; esac
    case $segments in *GNU_RELRO*) ;; *) complain 'has no RELRO' ;; esac
    case $dynamic in *BIND_NOW* | *'Flags: NOW'*) ;; *) complain 'binds lazily, so its RELRO is not full' ;; esac
    case $dynamic in *TEXTREL*) complain 'has relocations in its code' ;; esac
    case $dynamic in *'(RPATH)'* | *'(RUNPATH)'*) complain 'has a path of its own to libraries' ;; esac
    # The columns: type, offset, two addresses, two sizes, flags of up to three words, alignment.
    stack=$(echo "$segments" | awk '$1 == "GNU_STACK" { print $7 $8 $9 }')
    case $stack in '') complain 'does not say that its stack is not executable' ;; *E*) complain 'has an executable stack' ;; esac
    both=$(echo "$segments" | awk '$1 == "LOAD" && $7 $8 $9 ~ /W/ && $7 $8 $9 ~ /E/')
    [ -z "$both" ] || complain 'has a segment that is writable and executable'
done
[ -z "$failed" ]
