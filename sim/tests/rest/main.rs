//! REST as it was recorded on the real service; each test names the fact that it pins.

mod signing;
#[path = "../support/mod.rs"]
mod support;
