//! REST as it was recorded on the real service; each test names the facts that it pins.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails on the spot"
)]

mod actions;
mod activity;
mod empty;
mod headers;
mod hosts;
mod late;
mod limits;
mod media;
mod pages;
mod plan;
mod pulls;
mod renamed;
mod rules;
mod rulesets;
mod signing;
#[path = "../support/mod.rs"]
mod support;
mod uploads;
