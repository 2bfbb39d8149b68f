//! What a verification found: a line for each check, and how many do not hold.

use anyhow::{Result, bail};

use crate::{
    commands::{Row, print, tell},
    exit::Exit,
};

/// Counts the checks.
#[derive(Default)]
pub(super) struct Findings {
    held: usize,
    faults: usize,
    open: usize,
}

/// Why a check does not hold, both sides, and what to do next.
pub(super) struct Fault {
    problem: String,
    next: &'static str,
}

impl Fault {
    pub(super) fn new(problem: impl Into<String>, next: &'static str) -> Self {
        Self {
            problem: problem.into(),
            next,
        }
    }
}

impl Findings {
    pub(super) fn holds(&mut self, check: &str, text: &str) -> Result<()> {
        self.held += 1;
        line(check, &format!("ok: {text}"))
    }

    pub(super) fn open(&mut self, check: &str, why: &str) -> Result<()> {
        self.open += 1;
        line(check, &format!("not checked: {why}"))
    }

    pub(super) fn fault(&mut self, check: &str, fault: &Fault) -> Result<()> {
        self.faults += 1;
        line(check, &format!("FAULT: {}", fault.problem))?;
        line("", fault.next)
    }

    /// Either of the two.
    pub(super) fn told(&mut self, check: &str, checked: Result<String, Fault>) -> Result<()> {
        match checked {
            Ok(text) => self.holds(check, &text),
            Err(fault) => self.fault(check, &fault),
        }
    }

    /// Success only if all that was checked holds.
    pub(super) fn end(self, what: &str) -> Result<Exit> {
        if self.faults > 0 {
            bail!(
                "{what} is not verified: {} check(s) do not hold, see above",
                self.faults
            );
        }
        let open = if self.open == 0 {
            String::new()
        } else {
            format!("; {} were left out, see above", self.open)
        };
        tell(Row::words(format!(
            "{what}: all {} checks hold{open}.",
            self.held
        )));
        Ok(Exit::Success)
    }
}

/// Names come from a release that nobody has verified yet.
fn line(check: &str, text: &str) -> Result<()> {
    print(Row::new(format!("{check:<10}"), text))
}
