//! The primary rate limits: one budget an hour for REST, another for GraphQL.

/// The two budgets, kept apart as on GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    Core,
    GraphQl,
}

impl Budget {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::GraphQl => "graphql",
        }
    }
}

/// One hour's budget.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    /// Unix seconds at which the budget is whole again.
    pub(crate) reset: i64,
}

impl Window {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// Both windows of the repository's tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    core: Window,
    graphql: Window,
}

impl Rates {
    /// 1,000 an hour and repository: what a workflow's token has.
    pub(crate) fn new() -> Self {
        Self::set(1_000, 1_000, 0)
    }

    pub(crate) fn set(limit: u64, remaining: u64, reset: i64) -> Self {
        let window = Window {
            limit,
            used: limit.saturating_sub(remaining),
            reset,
        };
        Self {
            core: window,
            graphql: window,
        }
    }

    /// The window as it stands at `now`; an hour that is over starts anew.
    pub(crate) fn window(&mut self, budget: Budget, now: i64) -> &mut Window {
        let window = match budget {
            Budget::Core => &mut self.core,
            Budget::GraphQl => &mut self.graphql,
        };
        if now >= window.reset {
            window.reset = now + 3_600;
            window.used = 0;
        }
        window
    }

    /// Spends `cost`, or says that nothing is left.
    pub(crate) fn spend(&mut self, budget: Budget, cost: u64, now: i64) -> Result<(), Spent> {
        let window = self.window(budget, now);
        if window.remaining() == 0 {
            return Err(Spent);
        }
        window.used = (window.used + cost).min(window.limit);
        Ok(())
    }
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

#[cfg(test)]
mod tests {
    use super::{Budget, Rates, Spent};

    #[test]
    fn a_spent_budget_is_whole_again_after_its_hour() {
        let mut rates = Rates::set(5, 1, 100);
        assert_eq!(rates.spend(Budget::Core, 1, 99), Ok(()));
        assert_eq!(rates.spend(Budget::Core, 1, 99), Err(Spent));
        assert_eq!(rates.spend(Budget::Core, 1, 100), Ok(()));
    }
}
