//! Names the shared library, leaves the symlink that a linked program needs, and writes include/palitra.h with the
//! feature `header`, as `make` builds it: whose crate uses palitra has the header already and need not build cbindgen.

// A build without these cannot go on.
#![allow(clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::{env, fs};

#[cfg(feature = "header")]
#[path = "build/header.rs"]
mod header;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    for source in ["build.rs", "build", "cbindgen.toml", "src/abi", "src/ffi/types", "include/palitra.h"] {
        println!("cargo:rerun-if-changed={source}");
    }
    #[cfg(feature = "header")]
    write_header(&root);
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let soname = soname(&root);
        // Of this package alone. The cdylib form below reaches the libraries of its dependents too, and two of
        // them with one name would be one library to the loader. Programs and tests ignore it.
        println!("cargo:rustc-link-arg=-Wl,-soname,{soname}");
        // Promise 10: the host's process stays as it is. Threads and thread-local destructors outlive a dlclose: the
        // code must stay mapped, also in a library of a user's own jobs.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        link_soname(&root, &soname);
    }
}

/// The name that programs remember the library by, with the number of PALITRA_ABI_VERSION.
///
/// Its symbols have no versions. rustc writes the list of what a cdylib exports as a version script without a name.
/// GNU ld takes no other script beside that ("anonymous version tag cannot be combined with other version tags") and
/// no `.symver` of a version that no script names; lld refuses the `.symver` too, and drops the versions of a second
/// script. `--default-symver` is known to GNU ld alone, and names the versions after the SONAME, which says no more
/// than the SONAME.
fn soname(root: &Path) -> String {
    let source = fs::read_to_string(root.join("src/abi/library.rs")).expect("the source of the constant");
    let (_, rest) = source.split_once("pub const PALITRA_ABI_VERSION: u32 = ").expect("the constant");
    let (version, _) = rest.split_once(';').expect("its end");
    format!("libpalitra.so.{version}")
}

#[cfg(feature = "header")]
fn write_header(root: &Path) {
    let path = root.join("include/palitra.h");
    let header = header::header(root);
    if fs::read_to_string(&path).ok().as_ref() != Some(&header) {
        fs::write(&path, header).expect("include/palitra.h can be written");
    }
}

/// Leaves the SONAME beside libpalitra.so, for programs that are linked to it where it was built.
fn link_soname(root: &Path, soname: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // OUT_DIR is <target>/<profile>/build/<package>/out. As somebody's dependency there is nothing to leave.
    let Some(profile) = out.ancestors().nth(3) else { return };
    if !(out.starts_with(root) || env::var_os("CARGO_TARGET_DIR").is_some()) {
        return;
    }
    let link = profile.join(soname);
    if fs::read_link(&link).is_err() {
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink("libpalitra.so", link);
    }
}
