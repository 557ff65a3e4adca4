#!/bin/sh
# The Debian packages, in a Debian of their own: lintian finds nothing, they install, programs are built with them and
# run, a higher version takes their place, and nothing is left once they are removed and purged.
#
#     deb.sh          after `make deb`, as root. SUITES: Debian's releases, by default bookworm
#
# mmdebstrap makes each release's root in target/deb-roots, once, out of Debian's archive. The suite "this" is the
# machine's own system in a layer of its own: quick, and without the network.
#
# shellcheck disable=SC2016 # What is quoted is for a shell inside, or for dpkg-query.
set -eu

# What is mounted here is nobody else's, and goes with this process.
if [ -z "${PALITRA_MOUNTS_ARE_OWN:-}" ]; then
    PALITRA_MOUNTS_ARE_OWN=1 exec unshare --mount "$0" "$@"
fi

root=$(cd "$(dirname "$0")/../.." && pwd)
roots=$root/target/deb-roots
work=$(mktemp -d)
clean() {
    umount -R "$work/root" 2>/dev/null || true
    umount "$work/layer" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap clean EXIT

fail() {
    echo "package/deb.sh: $*" >&2
    exit 1
}

raise() { # the same packages with the revision 2
    mkdir "$work/2"
    for package in "$work"/1/*.deb; do
        dpkg-deb -R "$package" "$work/unpacked"
        sed -i "s/$version-1/$version-2/" "$work/unpacked/DEBIAN/control"
        dpkg-deb -Znone -b "$work/unpacked" "$work/2" >/dev/null
        rm -r "$work/unpacked"
    done
}

make_root() { # suite
    mkdir "$work/root"
    if [ "$1" = this ]; then
        mkdir -p "$work/layer"
        mount -t tmpfs layer "$work/layer"
        mkdir "$work/layer/upper" "$work/layer/work"
        mount -t overlay -o "lowerdir=/,upperdir=$work/layer/upper,workdir=$work/layer/work" root "$work/root"
    else
        if [ ! -e "$roots/$1.tar" ]; then
            mkdir -p "$roots"
            mmdebstrap --quiet --variant=apt --include=python3,gcc,libc6-dev,pkg-config "$1" "$roots/$1.tar"
        fi
        mount -t tmpfs root "$work/root"
        tar -C "$work/root" -xf "$roots/$1.tar" --exclude='./dev/*'
    fi
    mount --rbind /dev "$work/root/dev"
    mount -t proc proc "$work/root/proc"
    mkdir "$work/root/packages"
    cp -r "$work/1" "$work/2" "$work/root/packages"
}

inside() { # a command in the root
    chroot "$work/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

dpkg_inside() {
    inside dpkg "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "dpkg $*"; }
}

# What is installed: names, without what dpkg and its triggers remember.
files() {
    inside find /usr /etc /opt /var \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -name __pycache__ \) \
        -prune -o -print | sort
}

used() { # version: programs in C and Python, and the command
    cp "$root/tests/cpp/installed/plain.c" "$work/root/tmp/plain.c"
    [ "$(inside pkg-config --modversion palitra)" = "${1%-*}" ] || fail "pkg-config does not know ${1%-*}"
    if inside pkg-config --cflags palitra | grep -e -I; then fail "pkg-config prints the system's folder of headers"; fi
    inside sh -ec 'cd /tmp
        cc plain.c -o plain $(pkg-config --cflags --libs palitra)
        cc plain.c -o archive $(pkg-config --cflags --libs palitra-static)
        ./plain >plain.out
        ./archive | cmp - plain.out
        grep -q " installed$" plain.out
        ! ldd archive | grep palitra' || fail "a program in C"
    inside sh -ec 'test "$(palitra run palitra.echo hello)" = hello
        palitra jobs http. | grep -q "^http.get: "' || fail "the command"
    inside python3 -c 'import importlib.metadata, palitra
assert palitra.run(palitra.job("palitra.echo", b"hello")) == b"hello"
async def later(): return 7
assert palitra.run(later()) == 7
assert palitra.__file__.startswith("/usr/lib/python3/dist-packages/"), palitra.__file__
assert importlib.metadata.version("palitra") == "'"${1%-*}"'"' || fail "Python"
    installed=$(inside dpkg-query -W -f '${Version}' libpalitra1)
    [ "$installed" = "$1" ] || fail "$installed is installed, not $1"
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
mkdir "$work/1"
cp "$root"/target/deb/*-1_*.deb "$work/1" || fail "there are no packages: run make deb"
raise
# No bug of Debian's is open for packages that are not in its archive.
lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$root"/target/deb/*.changes ||
    fail "lintian has something to say"

for suite in ${SUITES:-bookworm}; do
    make_root "$suite"
    files >"$work/before"

    dpkg_inside --install --recursive /packages/1
    used "$version-1"
    dpkg_inside --install --recursive /packages/2
    used "$version-2"

    # The parts stand on each other as they say.
    if inside dpkg --remove libpalitra1 >/dev/null 2>&1; then fail "the library goes while others need it"; fi
    dpkg_inside --remove palitra python3-palitra libpalitra-dev libpalitra1
    files >"$work/after"
    diff "$work/before" "$work/after" || fail "a removal leaves something"
    dpkg_inside --purge palitra python3-palitra libpalitra-dev libpalitra1
    if inside dpkg-query -W -f '${Package}\n' | grep palitra; then fail "dpkg remembers a purged package"; fi
    umount -R "$work/root"
    rmdir "$work/root"
    echo "$suite: the packages install, work, are upgraded and go"
done
