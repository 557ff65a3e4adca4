//! SQL with parameters, as a host writes it in JSON.

use std::error::Error;

use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::RowStream;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::failure::{Failure, misfit};
use super::pool::Connection;
use super::row;

/// `{"sql": "select name from users where id = $1", "parameters": [7]}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    sql: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
}

/// A parameter of any type: the server reads it from text, as it reads the literals of SQL. A number is its digits, a
/// string is itself, for a date `2026-01-31`, for an array `{1,2}`; an object or a list is JSON; null is NULL.
#[derive(Debug, Deserialize)]
pub struct Parameter(Value);

impl Statement {
    /// Asks the server. The rows are read as they are asked for: who does not, slows the server down.
    ///
    /// The server keeps each statement prepared as long as the connection lives, so what differs from call to call
    /// belongs into the parameters.
    pub async fn ask(&self, connection: &Connection) -> Result<RowStream, Failure> {
        let statement = connection.prepare_cached(&self.sql).await?;
        row::check(statement.columns())?;
        if statement.params().len() != self.parameters.len() {
            let (takes, given) = (statement.params().len(), self.parameters.len());
            return Err(misfit(format!("the statement takes {takes} parameters, not {given}")).into());
        }
        Ok(connection.query_raw(&statement, &self.parameters).await?)
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, _type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match &self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::String(text) => out.extend_from_slice(text.as_bytes()),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_type: &Type) -> bool {
        true
    }

    fn encode_format(&self, _type: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
