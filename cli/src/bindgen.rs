//! `palitra bindgen`: typed wrappers of a library's jobs for another language.
//!
//! Each language is a room that says its types and names, and a template that lays them out. What is written depends on
//! the library alone, to the byte: writing it again changes nothing while the library stays.

mod c;
mod cpp;
mod go;
mod python;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::describe::{Description, Format};
use crate::library::Library;
use crate::model::{Data, Model, Type, TypedJob, Variant};
use crate::names::{Names, pascal};
use crate::run::print;

#[derive(Clone, Copy, ValueEnum)]
pub enum Language {
    C,
    Cpp,
    Go,
    Python,
    Typescript,
}

/// A file that is written.
struct File {
    name: String,
    text: String,
}

/// Writes the wrappers of those jobs whose names begin with one of `only`; without any, of all but palitra's own.
pub fn write(library: &Library, language: Language, folder: &Path, name: &str, only: &[String]) -> Result<()> {
    let description = Description::of(library)?;
    let is_wanted = |job: &str| match only {
        [] => !job.starts_with("palitra.") && !job.starts_with("http."),
        only => only.iter().any(|prefix| job.starts_with(prefix.as_str())),
    };
    let model = Model::of(&description, |job| is_wanted(&job.name));
    ensure!(!model.jobs.is_empty(), "the library has no such jobs: there is nothing to write");
    let file = match language {
        Language::C => c::file(&model, name)?,
        Language::Cpp => cpp::file(&model, name)?,
        Language::Go => go::file(&model, name)?,
        Language::Python => python::file(&model, name)?,
        Language::Typescript => typescript::file(&model, name)?,
    };
    let path = folder.join(&file.name);
    fs::create_dir_all(folder).with_context(|| format!("the folder {}", folder.display()))?;
    write_if_changed(&path, &file.text)?;
    print(path.display().to_string().as_bytes(), Format::Text)
}

/// A file that is the same already stays as old as it is.
fn write_if_changed(path: &PathBuf, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|written| written == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("the file {}", path.display()))
}

/// Fills a template.
fn filled(template: &str, values: impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    // A line that is a block alone leaves no line.
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.add_filter("lines", |text: &str| text.lines().map(str::to_string).collect::<Vec<_>>());
    environment.render_str(template, Serde(values)).context("a template of palitra's own")
}

/// A job under its name in the language.
struct JobName<'a> {
    name: String,
    job: &'a TypedJob,
}

/// Each job with its name, which has the forms that `Names::take_with` says.
fn job_names<'m>(
    jobs: &'m [TypedJob],
    names: &mut Names,
    forms: &[&str],
    name: impl Fn(&str) -> String,
) -> Vec<JobName<'m>> {
    jobs.iter().map(|job| JobName { name: names.take_with(name(&job.name), forms), job }).collect()
}

/// A type as the templates of C++ and Go lay it out.
#[derive(Serialize, Default)]
struct Declared {
    /// "struct", "enum", "union", "alias" or "codes".
    kind: &'static str,
    name: String,
    doc: Vec<String>,
    /// Members, constants or variants.
    members: Vec<Member>,
    /// Of an alias.
    ty: String,
    /// Of a union whose tag is inside.
    tag: Option<String>,
}

#[derive(Serialize, Default)]
struct Member {
    name: String,
    doc: Vec<String>,
    ty: String,
    /// What JSON calls it, in quotes; of a code its number.
    value: String,
    /// What stands behind a member of a struct in Go.
    json: String,
    /// Of a variant: "empty", "own" if its type is that of its content, "wrapped" if it is around that.
    content: &'static str,
    /// Of a variant in C++ that is wrapped: the type of its content.
    inner: String,
}

/// Documentation on one line, if there is any.
fn one_line_if_any(doc: &str) -> Vec<String> {
    if doc.is_empty() { Vec::new() } else { vec![one_line(doc)] }
}

/// The documentation of a job, its codes, and what its types cannot say. Lines that are not empty.
fn documentation(job: &TypedJob, remarks: &[String]) -> Vec<String> {
    let mut lines: Vec<_> = job.doc.lines().map(|line| line.trim_end().to_string()).collect();
    let mut remarks = remarks.to_vec();
    if let Some(errors) = &job.errors {
        remarks.push(format!("Fails with the codes of {errors}."));
    }
    let parts = [Some(&job.payload), Some(&job.reply), job.items.as_ref()];
    for data in parts.into_iter().flatten() {
        if let Data::Json(Type::Any(Some(why))) | Data::Framed(Type::Any(Some(why))) = data {
            remarks.push(format!("JSON without a type: {why}."));
        }
    }
    remarks.dedup();
    for remark in remarks {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(remark);
    }
    lines
}

/// Why a type, or a part of it, is any JSON; and what a list holds that is a tuple in Rust, where `name` writes a type.
fn reasons(ty: &Type, name: &dyn Fn(&Type) -> String) -> Vec<String> {
    match ty {
        Type::Any(Some(why)) => vec![format!("Any JSON: {why}.")],
        Type::List(ty) | Type::Map(ty) | Type::Optional(ty) => reasons(ty, name),
        Type::Tuple(types) => {
            let parts: Vec<_> = types.iter().map(name).collect();
            vec![format!("A list of {} values: {}.", types.len(), parts.join(", "))]
        }
        _ => Vec::new(),
    }
}

/// Why a union has no type of its own: its JSON is one of several, and bears no tag.
fn untagged_reason(variants: &[Variant], name: &dyn Fn(&Type) -> String) -> String {
    let types: Vec<_> = variants.iter().filter_map(|variant| variant.content.as_ref()).map(name).collect();
    format!("One of {}: nothing in the JSON says which.", types.join(", "))
}

/// The reasons for the parts of a job.
fn job_reasons(job: &TypedJob, name: &dyn Fn(&Type) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for data in [Some(&job.payload), Some(&job.reply), job.items.as_ref()].into_iter().flatten() {
        match data {
            // `documentation` says these.
            Data::Json(Type::Any(_)) | Data::Framed(Type::Any(_)) => {}
            Data::Json(ty) | Data::Framed(ty) => found.extend(reasons(ty, name)),
            _ => {}
        }
    }
    found
}

/// The name of a variant's own type: the content's name, where it is a struct that only the variant has.
fn variant_name(union: &str, variant: &Variant) -> String {
    format!("{union}{}", pascal(&variant.name))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in double quotes, as JSON and most languages write it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
