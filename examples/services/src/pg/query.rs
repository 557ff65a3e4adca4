//! `pg.query`, whose reply has all rows, and `pg.rows`, which streams them.

use std::pin::pin;

use futures_util::TryStreamExt;
use palitra::{Context, Json, State, job};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::RowStream;

use super::failure::Failure;
use super::pool::{Connection, Postgres};
use super::row::object;
use super::statement::Statement;

#[derive(Serialize)]
pub struct Answer {
    rows: Vec<Value>,
    /// How many rows the statement changed, or how many it selected.
    affected: u64,
}

/// Runs `{"sql", "parameters"}` and returns `{"rows": [{column: value}], "affected": n}`.
#[job("pg.query")]
async fn query(pg: State<Postgres>, Json(statement): Json<Statement>) -> Result<Json<Answer>, Failure> {
    let connection = pg.connection().await?;
    let answer = answer(&statement, &connection).await;
    connection.give_back(); // a job that was dropped before does not come here: see `pool`
    answer.map(Json)
}

/// Runs one statement on the connection.
pub async fn answer(statement: &Statement, connection: &Connection) -> Result<Answer, Failure> {
    let mut stream = pin!(statement.ask(connection).await?);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(object(&row)?);
    }
    Ok(Answer { affected: stream.rows_affected().unwrap_or(rows.len() as u64), rows })
}

/// Runs `{"sql", "parameters"}`, sends each row as an item and returns how many there were. Holds a few rows at a time:
/// a reader that is slower than the server slows it down.
#[job("pg.rows")]
async fn rows(context: Context, pg: State<Postgres>, Json(statement): Json<Statement>) -> Result<Json<u64>, Failure> {
    let connection = pg.connection().await?;
    let count = match statement.ask(&connection).await {
        Ok(stream) => send(&context, stream).await?, // a reader that is gone leaves rows unread: see `pool`
        Err(failure) => {
            connection.give_back();
            return Err(failure);
        }
    };
    connection.give_back();
    Ok(Json(count))
}

async fn send(context: &Context, stream: RowStream) -> Result<u64, Failure> {
    let mut stream = pin!(stream);
    let mut count = 0;
    while let Some(row) = stream.try_next().await? {
        context.send(Json(object(&row)?)).await?;
        count += 1;
    }
    Ok(count)
}
