//! What a type knows of itself, for the description of a job: asked of every argument and result, known by some.
//!
//! `#[palitra::job]` writes `(&Probe::<T>::NEW).schema(..)` for each type of the function. The compiler takes
//! [`WithSchema`] where the type has a schema, and one reference further [`WithoutSchema`], which every type has: an
//! author derives `JsonSchema` where it is wanted and says nothing else. Likewise the codes of an error, in
//! [`WithCodes`]. That works as a job's function has no type parameters.

use std::marker::PhantomData;

use serde_json::Value;

#[cfg(feature = "schema")]
use super::framed::Framed;
use super::items::Items;
#[cfg(feature = "schema")]
use super::json::Json;
use crate::reply::ErrorCodes;

/// Asks a type.
pub struct Probe<T>(PhantomData<fn(T)>);

impl<T> Probe<T> {
    /// The question, which holds no value.
    pub const NEW: Probe<T> = Probe(PhantomData);
}

/// Which JSON a schema describes: serde may take more than it writes.
#[derive(Clone, Copy)]
pub enum Contract {
    /// What a job takes.
    Taken,
    /// What a job leaves or sends.
    Left,
}

/// A type whose JSON has a schema.
pub trait WithSchema {
    /// Its schema.
    fn schema(&self, contract: Contract) -> Option<Value>;
}

/// Any type.
pub trait WithoutSchema {
    /// None.
    fn schema(&self, _: Contract) -> Option<Value> {
        None
    }
}

impl<T> WithoutSchema for &Probe<T> {}

impl<T, E> WithSchema for Probe<Result<T, E>>
where
    Probe<T>: WithSchema,
{
    fn schema(&self, contract: Contract) -> Option<Value> {
        Probe::<T>::NEW.schema(contract)
    }
}

/// Items are sent, though their stream is an argument.
impl<T> WithSchema for Probe<Items<T>>
where
    Probe<T>: WithSchema,
{
    fn schema(&self, _: Contract) -> Option<Value> {
        Probe::<T>::NEW.schema(Contract::Left)
    }
}

/// The codes that a job may fail with, and the name of their enum.
pub struct Codes {
    pub(super) name: &'static str,
    pub(super) codes: &'static [(&'static str, i32, &'static str)],
}

/// A result whose error has codes.
pub trait WithCodes {
    /// The codes.
    fn codes(&self) -> Option<Codes>;
}

/// Any result.
pub trait WithoutCodes {
    /// None.
    fn codes(&self) -> Option<Codes> {
        None
    }
}

impl<T> WithoutCodes for &Probe<T> {}

impl<T, E: ErrorCodes> WithCodes for Probe<Result<T, E>> {
    fn codes(&self) -> Option<Codes> {
        // Its last word, without the path to it.
        let name = std::any::type_name::<E>().split('<').next()?;
        Some(Codes { name: name.rsplit("::").next()?, codes: E::CODES })
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> WithSchema for Probe<Json<T>> {
    fn schema(&self, contract: Contract) -> Option<Value> {
        Some(schema_of::<T>(contract))
    }
}

/// Of the JSON before the bytes.
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> WithSchema for Probe<Framed<T>> {
    fn schema(&self, contract: Contract) -> Option<Value> {
        Some(schema_of::<T>(contract))
    }
}

/// A document of its own: what it refers to is in it.
#[cfg(feature = "schema")]
fn schema_of<T: schemars::JsonSchema>(contract: Contract) -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let settings = match contract {
        Contract::Taken => settings.for_deserialize(),
        Contract::Left => settings.for_serialize(),
    };
    settings.into_generator().into_root_schema_for::<T>().into()
}
