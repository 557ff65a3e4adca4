//! Rows as JSON objects: booleans, numbers, text and JSON. A column of another type is refused before the statement
//! runs, so that nothing is done whose result is lost; `column::text` has any type as text.

use palitra::JobError;
use serde_json::{Map, Value};
use tokio_postgres::types::Type;
use tokio_postgres::{Column, Error, Row};

use super::failure::misfit;

/// Fails if one of the columns is of a type that [`object`] does not know.
pub fn check(columns: &[Column]) -> Result<(), JobError> {
    let known = |column: &&Column| {
        matches!(
            *column.type_(),
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::OID
                | Type::FLOAT4
                | Type::FLOAT8
                | Type::TEXT
                | Type::VARCHAR
                | Type::BPCHAR
                | Type::NAME
                | Type::UNKNOWN
                | Type::JSON
                | Type::JSONB
                | Type::VOID
        )
    };
    match columns.iter().find(|column| !known(column)) {
        Some(column) => {
            let (name, of) = (column.name(), column.type_());
            Err(misfit(format!("the column {name} is of type {of}: select it as {name}::text")))
        }
        None => Ok(()),
    }
}

/// `{"id": 7, "name": "Ada"}`. NaN and the infinities, which JSON lacks, are null, as NULL is.
pub fn object(row: &Row) -> Result<Value, Error> {
    let mut object = Map::new();
    for (i, column) in row.columns().iter().enumerate() {
        object.insert(column.name().to_string(), value(row, i, column.type_())?);
    }
    Ok(Value::Object(object))
}

fn value(row: &Row, i: usize, of: &Type) -> Result<Value, Error> {
    Ok(match *of {
        Type::VOID => Value::Null,
        Type::BOOL => row.try_get::<_, Option<bool>>(i)?.into(),
        Type::INT2 => row.try_get::<_, Option<i16>>(i)?.into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(i)?.into(),
        Type::INT8 => row.try_get::<_, Option<i64>>(i)?.into(),
        Type::OID => row.try_get::<_, Option<u32>>(i)?.into(),
        Type::FLOAT4 => row.try_get::<_, Option<f32>>(i)?.into(),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(i)?.into(),
        Type::JSON | Type::JSONB => row.try_get::<_, Option<Value>>(i)?.into(),
        _ => row.try_get::<_, Option<String>>(i)?.into(),
    })
}
