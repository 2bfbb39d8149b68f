//! Countersign's core: decides whether a signed receipt allows one operation, once.
//!
//! It has no clock, no network, no files and no environment: time and facts come in as values, decisions
//! and documents go out. The way through is a chain of types, each made only by the step before it:
//! [`Envelope`](envelope::Envelope) → [`VerifiedReceipt`](receipt::VerifiedReceipt) →
//! [`Grant`](authorize::Grant) → [`Claim`](ledger::Claim) → [`Outcome`](ledger::Outcome).
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]
#![no_std]

extern crate alloc;
// With the macros: where a list is, scripts/mutants puts `vec![]`.
#[cfg(test)]
#[macro_use]
extern crate std;

pub mod asset;
pub mod audit;
pub mod authority;
pub mod authorize;
pub mod binding;
pub mod commit_name;
pub mod digest;
pub mod document;
mod dsse;
pub mod envelope;
pub mod evidence;
pub mod json;
pub mod keys;
pub mod ledger;
pub mod name;
pub mod operation;
pub mod person;
pub mod plan;
pub mod policy;
pub mod reach;
pub mod receipt;
pub mod reconcile;
pub mod refusal;
pub mod rehearsal;
pub mod repair;
#[cfg(test)]
mod schema;
pub mod statement;
pub mod tables;
pub mod text;
pub mod timestamp;
pub mod trigger;
pub mod trust;
pub mod withdrawal;
pub mod world;

#[cfg(test)]
mod testing;
