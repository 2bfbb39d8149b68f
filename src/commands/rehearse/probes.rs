//! The probes, a file for each family.

mod actions;
mod assets;
mod by_hand;
mod heavy;
mod lag;
mod ledger;
mod pulls;
mod reading;
mod releases;
mod rules;
mod service;
mod tags;
mod whole;

pub(super) use self::{
    actions::PROBES as ACTIONS, assets::PROBES as ASSETS, by_hand::PROBES as BY_HAND,
    heavy::PROBES as HEAVY, lag::PROBES as LAG, ledger::PROBES as LEDGER, pulls::PROBES as PULLS,
    reading::PROBES as READING, releases::PROBES as RELEASES, rules::PROBES as RULES,
    service::PROBES as SERVICE, tags::PROBES as TAGS, whole::PROBES as WHOLE,
};
