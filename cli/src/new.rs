//! `palitra new`: a crate of jobs to start from, out of the files of examples/template.
//!
//! They are those that cargo-generate takes, too: what stands in `{{...}}` there is filled in here. The manifest is not
//! named Cargo.toml there, because cargo reads every one in a checkout that is somebody's dependency.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The template's files.
const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../examples/template/Cargo.toml.liquid")),
    ("src/lib.rs", include_str!("../../examples/template/src/lib.rs")),
    ("calls/hello.c", include_str!("../../examples/template/calls/hello.c")),
    ("calls/hello.py", include_str!("../../examples/template/calls/hello.py")),
];

/// Where the crate finds palitra.
pub enum Source<'a> {
    /// A checkout: absolute, or as seen from the crate's folder.
    Folder(&'a str),
    /// A repository.
    Git(&'a str),
}

pub fn write(folder: &Path, source: &Source<'_>) -> Result<()> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    ensure!(is_name, "{name:?} is no name for a crate: letters, digits, - and _, a letter first");
    ensure!(!folder.exists(), "{} is there already", folder.display());
    let palitra = match source {
        Source::Folder(path) => format!("path = {path:?}"),
        Source::Git(url) => format!("git = {url:?}"),
    };
    for (file, text) in FILES {
        let text = text.replace("{{project-name}}", name).replace("{{palitra}}", &palitra);
        let path = folder.join(file);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .with_context(|| format!("the folder of {}", path.display()))?;
        fs::write(&path, text).with_context(|| format!("the file {}", path.display()))?;
    }
    Ok(())
}
