//! REST as it was recorded on the real service; each test names the facts that it pins.

mod actions;
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
