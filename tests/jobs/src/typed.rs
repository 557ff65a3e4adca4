//! Jobs with types of every shape, for what is generated from their schemas.

use std::collections::BTreeMap;
use std::fmt;

use palitra::{ErrorCodes, Framed, Items, JobError, Json, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How soon an order leaves.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Priority {
    /// In the next days.
    Normal,
    /// Today.
    SameDay,
}

/// How an order travels.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
enum Shipping {
    /// In a parcel.
    Parcel {
        /// Kilograms.
        weight: f64,
    },
    /// Somebody fetches it.
    Pickup { shop: u32, name: Option<String> },
    /// It is a file.
    Download,
}

/// One line of an order.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Line {
    article: String,
    /// How many.
    count: u32,
    /// Of one, in cents.
    price: i64,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Customer {
    name: String,
    email: Option<String>,
}

/// What somebody orders.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    id: u64,
    customer: Customer,
    lines: Vec<Line>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    priority: Priority,
    shipping: Shipping,
    /// In percent.
    #[serde(default)]
    discount: u8,
    note: Option<String>,
}

/// What an order costs.
#[derive(Serialize, JsonSchema)]
struct Receipt {
    order: u64,
    /// In cents.
    total: i64,
    priority: Priority,
    shipping: Shipping,
    /// The lines that were ordered more than once.
    repeated: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Why an order has no price.
#[derive(Debug, ErrorCodes)]
enum OrderError {
    /// The order has no lines.
    #[code = 1]
    NoLines,
    /// The discount is more than everything.
    #[code = 2]
    TooCheap,
}

impl std::error::Error for OrderError {}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OrderError::NoLines => "the order has no lines",
            OrderError::TooCheap => "the discount is more than 100 percent",
        })
    }
}

/// Prices an order.
#[job("typed.price")]
async fn price(Json(order): Json<Order>) -> Result<Json<Receipt>, OrderError> {
    if order.lines.is_empty() {
        return Err(OrderError::NoLines);
    }
    if order.discount > 100 {
        return Err(OrderError::TooCheap);
    }
    let full: i64 = order.lines.iter().map(|line| i64::from(line.count) * line.price).sum();
    let total = full * (100 - i64::from(order.discount)) / 100;
    let repeated = order.lines.into_iter().filter(|line| line.count > 1).collect();
    let Order { id, priority, shipping, note, .. } = order;
    Ok(Json(Receipt { order: id, total, priority, shipping, repeated, note }))
}

/// How far, and where it fails.
#[derive(Deserialize, JsonSchema)]
struct Count {
    to: u32,
    fail_at: Option<u32>,
}

/// One number.
#[derive(Serialize, JsonSchema)]
struct Tick {
    n: u32,
    is_last: bool,
}

/// Streams the numbers from 1 on, and returns their sum.
#[job("typed.count")]
async fn count(items: Items<Json<Tick>>, Json(count): Json<Count>) -> Result<Json<u64>, JobError> {
    for n in 1..=count.to {
        if count.fail_at == Some(n) {
            return Err(JobError::new(7, format!("failed at {n}")));
        }
        items.send(Json(Tick { n, is_last: n == count.to })).await?;
    }
    Ok(Json((1..=u64::from(count.to)).sum()))
}

/// Streams the lines of a text.
#[job("typed.lines")]
async fn lines(items: Items<String>, text: String) -> Result<(), JobError> {
    for line in text.lines() {
        items.send(line.to_string()).await?;
    }
    Ok(())
}

/// Streams the payload byte by byte.
#[job("typed.bytes")]
async fn bytes(items: Items<Vec<u8>>, bytes: Vec<u8>) -> Result<(), JobError> {
    for byte in bytes {
        items.send(vec![byte]).await?;
    }
    Ok(())
}

/// Upper-cases a text.
#[job("typed.shout")]
async fn shout(text: String) -> String {
    text.to_uppercase()
}

/// Turns bytes round.
#[job("typed.reverse")]
async fn reverse(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.reverse();
    bytes
}

/// Takes nothing.
#[job("typed.answer")]
async fn answer() -> Json<u8> {
    Json(42)
}

/// What happened, in serde's own way of writing an enum.
#[derive(Deserialize, Serialize, JsonSchema)]
enum Event {
    Started,
    Moved { x: i32, y: i32 },
    Said(String),
}

/// Returns the events the other way round.
#[job("typed.events")]
async fn events(Json(mut events): Json<Vec<Event>>) -> Json<Vec<Event>> {
    events.reverse();
    Json(events)
}

/// A tree, which refers to itself.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Tree {
    value: i64,
    #[serde(default)]
    children: Vec<Tree>,
}

/// Doubles the values of a tree.
#[job("typed.double")]
async fn double(Json(tree): Json<Tree>) -> Json<Tree> {
    fn doubled(tree: Tree) -> Tree {
        Tree { value: 2 * tree.value, children: tree.children.into_iter().map(doubled).collect() }
    }
    Json(doubled(tree))
}

/// A stop of a line, whose types hold each other and themselves.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Stop {
    name: String,
    next: Option<Box<Stop>>,
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Change {
    minutes: u8,
    to: Vec<Stop>,
}

/// Returns the last stop of a line.
#[job("typed.last")]
async fn last(Json(stop): Json<Stop>) -> Json<Stop> {
    let mut stop = stop;
    while let Some(next) = stop.next.take() {
        stop = *next;
    }
    Json(stop)
}

/// A term, whose variants hold terms.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Term {
    Number { value: f64 },
    Sum { left: Box<Term>, right: Box<Term> },
    All { terms: Vec<Term> },
}

/// Computes a term.
#[job("typed.value")]
async fn value(Json(term): Json<Term>) -> Json<f64> {
    fn of(term: &Term) -> f64 {
        match term {
            Term::Number { value } => *value,
            Term::Sum { left, right } => of(left) + of(right),
            Term::All { terms } => terms.iter().map(of).sum(),
        }
    }
    Json(of(&term))
}

/// A name, or a number.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Key {
    Name(String),
    Number(u32),
}

/// Swaps a pair.
#[job("typed.swap")]
async fn swap(Json((left, right)): Json<(Key, i16)>) -> Json<(i16, Key)> {
    Json((right, left))
}

/// Takes and leaves any JSON.
#[job("typed.any")]
async fn any(Json(value): Json<serde_json::Value>) -> Json<serde_json::Value> {
    Json(value)
}

#[derive(Deserialize, Serialize)]
struct Opaque {
    value: u32,
}

/// Takes and leaves JSON of which there is no schema.
#[job("typed.opaque")]
async fn opaque(Json(opaque): Json<Opaque>) -> Json<Opaque> {
    Json(opaque)
}

/// Where to cut.
#[derive(Deserialize, JsonSchema)]
struct Cut {
    at: usize,
}

/// What was cut off.
#[derive(Serialize, JsonSchema)]
struct Rest {
    bytes: usize,
}

/// Cuts bytes.
#[job("typed.cut")]
async fn cut(Framed(cut, mut bytes): Framed<Cut>) -> Framed<Rest> {
    let rest = bytes.split_off(cut.at.min(bytes.len()));
    Framed(Rest { bytes: rest.len() }, bytes)
}

/// Has names that the languages keep for themselves.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Class {
    #[serde(rename = "class")]
    kind: String,
    #[serde(rename = "content-type")]
    content_type: String,
    #[serde(rename = "func")]
    function: bool,
    #[serde(rename = "from")]
    source: Option<String>,
}

/// Returns its payload, whose fields are words of many languages.
#[job("typed.return")]
async fn words(Json(class): Json<Class>) -> Json<Class> {
    Json(class)
}

/// Has a default that is not empty, and names without capital letters.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Retry {
    #[serde(default = "gateways")]
    retry_on: Vec<u16>,
    within: Option<BTreeMap<String, u8>>,
    #[serde(rename = "名前")]
    name: String,
    surface: Surface,
}

fn gateways() -> Vec<u16> {
    vec![502, 503]
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Surface {
    #[serde(rename = "2d")]
    Flat { x: u8 },
    #[serde(rename = "3d")]
    Solid,
}

/// Returns its payload, with the default of what was left out.
#[job("typed.whole")]
async fn whole(Json(retry): Json<Retry>) -> Json<Retry> {
    Json(retry)
}

/// Names that mean something else where they stand: to C++ and its compilers, or in what is written around them.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Record {
    compared: Comparison,
    unit: Unit,
    os: Os,
    linux: bool,
    errno: Option<u8>,
    turn: Turn,
    step: Step,
    client: Client,
    runners: BTreeMap<String, Runner>,
    literal: Literal,
}

/// Texts without a letter.
#[derive(Deserialize, Serialize, JsonSchema)]
enum Comparison {
    #[serde(rename = "<")]
    Less,
    #[serde(rename = ">")]
    More,
    NotEq,
}

/// Texts that differ in capitals alone.
#[derive(Deserialize, Serialize, JsonSchema)]
enum Unit {
    #[serde(rename = "Mb")]
    Megabit,
    #[serde(rename = "MB")]
    Megabyte,
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Os {
    Linux,
    Unix,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "to")]
enum Turn {
    #[serde(rename = "<")]
    Left { by: u8 },
    #[serde(rename = ">")]
    Right { by: u8 },
}

#[derive(Deserialize, Serialize, JsonSchema)]
enum Step {
    #[serde(rename = "+1")]
    Up { by: u8 },
    #[serde(rename = "-1")]
    Down { by: u8 },
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Client {
    id: u8,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Runner {
    id: u8,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Literal {
    id: u8,
}

/// Why a record is refused.
#[derive(Debug, ErrorCodes)]
enum RecordError {
    #[code = 1]
    Default,
    #[code = 2]
    Mb,
    #[code = 3]
    MB,
    #[code = 4]
    Linux,
}

impl std::error::Error for RecordError {}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Returns a record, or fails with the code that its errno is.
#[job("typed.record")]
async fn record(Json(record): Json<Record>) -> Result<Json<Record>, RecordError> {
    match record.errno {
        Some(1) => Err(RecordError::Default),
        Some(2) => Err(RecordError::Mb),
        Some(3) => Err(RecordError::MB),
        Some(4) => Err(RecordError::Linux),
        _ => Ok(Json(record)),
    }
}

/// Has the name of what C calls the submission of the other.
#[job("typed.record.submit")]
async fn record_submit() -> Json<u8> {
    Json(7)
}
