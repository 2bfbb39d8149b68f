//! The clock and the delay of all repositories, the limits and settings of one, as a test sets them.

use std::time::Duration;

use crate::clock::Clock;
use crate::rate::Rates;
use crate::simulator::Simulator;

impl Simulator {
    /// Stops the clock at these Unix seconds.
    pub fn set_clock(&self, unix_seconds: i64) {
        self.clocks(|clock| *clock = Clock::Fixed(unix_seconds));
    }

    /// Moves the clock, running or stopped, by so many seconds.
    pub fn shift_clock(&self, seconds: i64) {
        self.clocks(|clock| clock.shift(seconds));
    }

    /// Goes back to the machine's clock.
    pub fn real_clock(&self) {
        self.clocks(|clock| *clock = Clock::Real { shift: 0 });
    }

    fn clocks(&self, change: impl Fn(&mut Clock)) {
        self.shared.site(|site| {
            site.worlds
                .iter_mut()
                .for_each(|world| change(&mut world.clock));
        });
    }

    /// Whether releases become immutable when published; off unless told.
    pub fn immutable_releases(&self, on: bool) {
        self.world(|world| world.settings.immutable_releases = on);
    }

    /// "Allow GitHub Actions to create and approve pull requests"; on unless told.
    pub fn allow_actions_pull_requests(&self, on: bool) {
        self.world(|world| world.settings.actions_may_open_pulls = on);
    }

    /// A tag ruleset that restricts creations; off unless told.
    pub fn disallow_tag_creation(&self, on: bool) {
        self.world(|world| world.settings.tag_creation_restricted = on);
    }

    /// Archives the repository or brings it back.
    pub fn archive(&self, on: bool) {
        self.world(|world| world.settings.archived = on);
    }

    /// Dispatches are answered 204 without a body and know no `return_run_details`, as GitHub Enterprise Server 3.19 and older do; off
    /// unless told.
    pub fn bare_dispatches(&self, on: bool) {
        self.world(|world| world.settings.bare_dispatches = on);
    }

    /// Tags of this pattern (one `*` at most) can be neither moved nor deleted.
    pub fn protect_tags(&self, pattern: &str) {
        self.world(|world| world.settings.protected_tags.push(pattern.to_owned()));
    }

    /// Retires a version of the REST API: it answers 410 from now on.
    pub fn retire_api_version(&self, version: &str) {
        self.shared
            .site(|site| site.retired_versions.push(version.to_owned()));
    }

    /// Sets both budgets (REST and GraphQL) of this repository's tokens; their hour begins now by the simulator's clock, so set that
    /// first. 1,000 each unless told, as for a workflow's own token.
    pub fn rate_limit(&self, limit: u64, remaining: u64) {
        self.world(|world| world.rates = Rates::set(limit, remaining, world.now() + 3_600));
    }

    /// How much later every answer comes, as over a real network; zero unless told.
    pub fn delay(&self, delay: Duration) {
        self.shared.site(|site| site.delay = delay);
    }
}
