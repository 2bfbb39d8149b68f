//! GitHub's own scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::Oid;

use crate::clock::iso8601;
use crate::git::full_oid;

/// Forty hex digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct GitObjectId(pub(super) Oid);

#[Scalar(name = "GitObjectID")]
impl ScalarType for GitObjectId {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => full_oid(text).map(Self).ok_or_else(|| {
                InputValueError::custom(format!("{text:?} is not a valid GitObjectID"))
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An address.
#[derive(Clone, Debug)]
pub(super) struct Uri(pub(super) String);

#[Scalar(name = "URI")]
impl ScalarType for Uri {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// Unix seconds, written as ISO 8601.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(pub(super) i64);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => chrono::DateTime::parse_from_rfc3339(text)
                .map(|time| Self(time.timestamp()))
                .map_err(|_| InputValueError::custom(format!("{text:?} is not a valid DateTime"))),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(iso8601(self.0))
    }
}

/// Bytes in standard Base64 (RFC 4648 §4).
#[derive(Clone, Debug)]
pub(super) struct Base64String(pub(super) Vec<u8>);

#[Scalar(name = "Base64String")]
impl ScalarType for Base64String {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => STANDARD.decode(text).map(Self).map_err(|_| {
                InputValueError::custom("the value is not a valid Base64String".to_owned())
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(STANDARD.encode(&self.0))
    }
}
