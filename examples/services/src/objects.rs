//! A store of objects: here a folder, with another service of opendal S3, Azure or Google's.

use futures_util::TryStreamExt;
use opendal::services::Fs;
use opendal::{Error, ErrorKind, Operator};
use palitra::{Context, Framed, JobError, Json, RunnerState, State, job};
use serde::{Deserialize, Serialize};

use crate::code;

/// How much of an object is in memory at a time, for each reader; and the length of the items of its stream.
const CHUNK: usize = 256 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The folder below which all objects are. It is made if it is not there.
    root: String,
}

struct Objects(Operator);

impl RunnerState for Objects {
    const NAME: &str = "objects";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        let operator = Operator::new(Fs::default().root(&config.root)).map_err(failed)?;
        Ok(Objects(operator.finish()))
    }
}

#[derive(Deserialize)]
struct Head {
    path: String,
}

#[derive(Serialize)]
struct Length {
    bytes: u64,
}

#[derive(Serialize)]
struct Entry {
    path: String,
    bytes: u64,
}

/// Makes or replaces the object at `{"path"}` of the bytes behind it.
#[job("objects.write")]
async fn write(objects: State<Objects>, Framed(head, content): Framed<Head>) -> Result<Json<Length>, JobError> {
    let bytes = content.len() as u64;
    objects.0.write(below_the_root(&head.path)?, content).await.map_err(failed)?;
    Ok(Json(Length { bytes }))
}

/// Streams the object at a path and reports its progress in bytes.
#[job("objects.read")]
async fn read(context: Context, objects: State<Objects>, path: String) -> Result<Json<Length>, JobError> {
    let path = below_the_root(&path)?;
    let total = objects.0.stat(path).await.map_err(failed)?.content_length();
    let reader = objects.0.reader_with(path).chunk(CHUNK).await.map_err(failed)?;
    let mut chunks = reader.into_bytes_stream(0..total).await.map_err(failed)?;
    let mut bytes = 0;
    while let Some(chunk) = chunks.try_next().await.map_err(broken)? {
        bytes += chunk.len() as u64;
        context.send(chunk.to_vec()).await?;
        context.progress(bytes, total);
    }
    Ok(Json(Length { bytes }))
}

/// Lists the objects directly below a folder, `""` or `"2026/"`, by path.
#[job("objects.list")]
async fn list(objects: State<Objects>, folder: String) -> Result<Json<Vec<Entry>>, JobError> {
    let entries = objects.0.list(below_the_root(&folder)?).await.map_err(failed)?;
    let mut listed = Vec::new();
    for entry in entries.iter().filter(|entry| entry.metadata().is_file()) {
        let bytes = objects.0.stat(entry.path()).await.map_err(failed)?.content_length();
        listed.push(Entry { path: entry.path().to_string(), bytes });
    }
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Json(listed))
}

/// The path, unless it climbs out of the root.
fn below_the_root(path: &str) -> Result<&str, JobError> {
    let climbs = path.split('/').any(|part| part == "..");
    if climbs { Err(JobError::new(code::REFUSED, format!("objects: {path:?} leaves the root"))) } else { Ok(path) }
}

fn failed(error: Error) -> JobError {
    let code = if error.kind() == ErrorKind::NotFound { code::NOT_FOUND } else { code::REFUSED };
    JobError::new(code, format!("objects: {error}"))
}

/// The disk, or the network, in the middle of an object.
fn broken(error: std::io::Error) -> JobError {
    JobError::new(code::UNREACHABLE, format!("objects: {error}"))
}
