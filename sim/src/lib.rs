//! A GitHub that runs on loopback for tests, demo and benchmarks.
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a simulator that cannot go on must fail its test loudly, at once and on the spot"
)]

mod accept;
mod actions;
mod answer;
mod builder;
mod call;
mod clock;
mod endpoint;
mod exchange;
pub mod facts;
mod fault;
mod freshness;
mod gate;
mod git;
mod graphql;
mod headers;
mod hold;
mod log;
mod misfortune;
mod permission;
mod rate;
mod record;
mod reply;
mod rest;
mod ruleset;
mod runs;
mod server;
mod signing;
mod simulator;
mod site;
mod storage;
mod switch;
mod switches;
mod transcript;
mod upload;
mod world;

pub use builder::Builder;
pub use endpoint::Endpoint;
pub use facts::{Fact, Verdict};
pub use fault::{Effect, Fault, FaultPlan, Matcher};
pub use hold::Hold;
pub use log::{Event, Kind};
pub use permission::{Access, Permissions};
pub use record::{AssetRecord, CommentRecord, DispatchRecord, PullRecord, ReleaseRecord};
pub use simulator::Simulator;
pub use switch::Switch;
