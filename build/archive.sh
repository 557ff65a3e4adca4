#!/bin/sh
# Makes of the archive that cargo built one that can be linked beside any other: one relocatable object, in which every
# name is local but those of the C ABI. As it comes from cargo it exports Rust's own (rust_eh_personality and its like),
# which each Rust static library defines, and those of the C compiled in, such as zstd's.
#
#     archive.sh ARCHIVE
#
# CROSS_COMPILE: what stands before the names of the tools for another machine, such as aarch64-linux-gnu-.
set -eu

archive=$1
ld=${CROSS_COMPILE:-}ld
objcopy=${CROSS_COMPILE:-}objcopy
ar=${CROSS_COMPILE:-}ar

# Made already: cargo had nothing to build.
if [ "$("$ar" t "$archive")" = palitra.o ]; then exit 0; fi

work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
# What palitra needs of the archive, which is what any of its functions needs. Groups are resolved here: by their names,
# which are local from now on, a linker could not compare them with those of another library.
"$ld" -r -u palitra_abi_version --force-group-allocation -o "$work/whole.o" "$archive"
# The bitcode beside the code of Rust's standard library stops an ar whose plugin is of another LLVM.
"$objcopy" --wildcard --keep-global-symbol='palitra_*' --remove-section=.llvmbc --remove-section=.llvmcmd \
    "$work/whole.o" "$work/palitra.o"
"$ar" rcsD "$work/libpalitra.a" "$work/palitra.o"

# Cargo's own copy too: it is the same file under two names, and what cargo sees changed it would put back.
cargos=$(dirname "$archive")/deps/libpalitra.a
mv "$work/libpalitra.a" "$archive"
if [ -e "$cargos" ]; then ln -f "$archive" "$cargos"; fi
