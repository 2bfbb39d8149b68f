//! GraphQL as it was recorded on the real service; each test names the facts that it pins.

mod appends;
mod documents;
mod files;
mod limits;
mod lookups;
#[path = "../support/mod.rs"]
mod support;
