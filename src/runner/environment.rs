//! The environment as a value, read once.

use std::collections::BTreeMap;

use crate::tempo::Tempo;

/// Variables by name. Without `Debug`: one of them holds the token.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    tempo: Tempo,
}

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; empty ones count as absent, as GitHub's runner treats them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// How long a wait takes; no variable can change it.
    #[must_use]
    pub const fn tempo(&self) -> Tempo {
        self.tempo
    }

    /// The same, with other waits: for tests.
    #[must_use]
    pub const fn at(mut self, tempo: Tempo) -> Self {
        self.tempo = tempo;
        self
    }

    /// The same, with this variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            tempo: Tempo::REAL,
        }
    }
}
