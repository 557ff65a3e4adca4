//! `pg.transaction`: all statements or none.

use palitra::{Json, State, job};

use super::failure::Failure;
use super::pool::{Connection, Postgres};
use super::query::{Answer, answer};
use super::statement::Statement;

/// Runs a list of `{"sql", "parameters"}` in one transaction and returns a list of what `pg.query` returns. If one of
/// them fails, or the job is cancelled or past its deadline, none has happened; only a cancel that meets the COMMIT on
/// its way comes too late.
#[job("pg.transaction")]
async fn transaction(
    pg: State<Postgres>,
    Json(statements): Json<Vec<Statement>>,
) -> Result<Json<Vec<Answer>>, Failure> {
    let mut connection = pg.connection().await?;
    connection.roll_back_if_dropped();
    connection.batch_execute("BEGIN").await?;
    let answers = answers(&statements, &connection).await;
    let ended = connection.batch_execute(if answers.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
    connection.give_back();
    let answers = answers?; // says more than what the end of a broken connection says
    ended?;
    Ok(Json(answers))
}

async fn answers(statements: &[Statement], connection: &Connection) -> Result<Vec<Answer>, Failure> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(answer(statement, connection).await?);
    }
    Ok(answers)
}
