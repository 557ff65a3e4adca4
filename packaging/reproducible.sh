#!/bin/sh
# Builds what `make release` publishes twice, from the last commit, and fails where a file is not the same to the byte.
# The two builds have nothing in common that must not matter: the folder of the sources, the home of cargo, the time zone,
# the language, and the rights of new files. The time that files say of themselves is SOURCE_DATE_EPOCH.
#
#     packaging/reproducible.sh FOLDER
#
# FOLDER keeps both builds. diffoscope, where it is installed, says what differs.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
place=$(cd "$1" && pwd)
home=${CARGO_HOME:-$HOME/.cargo}
published=target/release-files
# Of both: what is committed while the first one builds is no part of the second.
commit=$(git -C "$root" rev-parse HEAD)

build() { # the folder, the time zone, the language, the rights that new files do not get
    tree=$place/$1/palitra
    rm -rf "$tree"
    mkdir -p "$place/$1/cargo"
    git clone --quiet --no-checkout "$root" "$tree"
    git -C "$tree" checkout --quiet --detach "$commit"
    # Another home of cargo, in which nothing has to be downloaded again.
    for part in "$home"/*; do ln -sfn "$part" "$place/$1/cargo/"; done
    # The tools of the checkout. They are no part of what is built.
    mkdir -p "$tree/target"
    for tools in venv-python venv-release; do ln -sfn "$root/target/$tools" "$tree/target/"; done
    (
        umask "$4"
        cd "$tree"
        env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u PALITRA_LIBRARY_DIR CARGO_HOME="$place/$1/cargo" TZ="$2" LC_ALL="$3" \
            make --old-file=target/venv-python/made --old-file=target/venv-release/made release
    )
}

build one UTC C 022
build two/somewhere/deeper Asia/Kathmandu C.UTF-8 077

one=$place/one/palitra
two=$place/two/somewhere/deeper/palitra
# The libraries as they are before anything strips or packs them.
for file in libpalitra.so libpalitra.a; do
    cp "$one/target/release/$file" "$one/$published"
    cp "$two/target/release/$file" "$two/$published"
done
[ "$(ls "$one/$published")" = "$(ls "$two/$published")" ] || { echo "not the same files" >&2; exit 1; }
different=
for file in "$one/$published"/*; do
    other=$two/$published/${file##*/}
    if cmp -s "$file" "$other"; then
        echo "the same: $(sha256sum "$file" | cut -c 1-16) ${file##*/}"
    else
        echo "DIFFERENT: ${file##*/}" >&2
        different=1
        if command -v diffoscope >/dev/null; then diffoscope --max-report-size 20000 "$file" "$other" || true; fi
    fi
done
[ -z "$different" ]
