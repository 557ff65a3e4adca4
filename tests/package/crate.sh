#!/bin/sh
# What would be published is whole: the crates are packaged, unpacked far from the checkout, and built there by a crate
# of jobs, with nothing from the network.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$root"
cargo package --package palitra-macros --package palitra --no-verify --offline --allow-dirty --quiet
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
for crate in palitra palitra-macros; do
    tar -C "$work" -xzf "target/package/$crate-$version.crate"
    [ -s "$work/$crate-$version/LICENSE" ] || { echo "package/crate.sh: $crate has no LICENSE" >&2 && exit 1; }
done

mkdir -p "$work/user/src"
cat >"$work/user/Cargo.toml" <<END
[package]
name = "user"
edition = "2024"
[dependencies]
palitra = "$version"
[patch.crates-io]
palitra = { path = "../palitra-$version" }
palitra-macros = { path = "../palitra-macros-$version" }
END
cp Cargo.lock "$work/user"
cat >"$work/user/src/main.rs" <<'END'
#[palitra::job("user.double")]
async fn double(number: palitra::Json<u32>) -> palitra::Json<u32> {
    palitra::Json(2 * number.0)
}

fn main() {
    println!("{}", palitra::run(async { 42 }).expect("a runner"));
}
END
cd "$work/user"
[ "$(CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target/crate}" cargo run --quiet --offline)" = 42 ] ||
    { echo "package/crate.sh: a program of the packaged crate fails" >&2 && exit 1; }
echo "the packaged crates build and run"
