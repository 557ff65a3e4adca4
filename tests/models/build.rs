//! Says to the sources under which of the two they are built.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (feature, cfg) in [("LOOM", "palitra_model"), ("SHUTTLE", "palitra_simulation")] {
        if env::var_os(format!("CARGO_FEATURE_{feature}")).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
