//! Workflow commands: masks and annotations, with everything in them escaped.

use countersign_core::text::{Lines, visible};

use crate::{github::Token, log::Log};

/// The runner cuts messages at 4,096 characters.
const MOST_MESSAGE: usize = 4000;

/// How an annotation looks.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Notice,
    Warning,
    Error,
}

impl Log {
    /// Makes the runner hide the token from now on.
    pub(crate) fn mask(&self, token: &Token) {
        self.raw(&token.mask_command());
    }

    pub(crate) fn annotate(&self, level: Level, title: &str, message: &str) {
        let level = match level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        let message: String = visible(message, Lines::Several)
            .chars()
            .take(MOST_MESSAGE)
            .collect();
        self.raw(&format!(
            "::{level} title={}::{}",
            property(title),
            data(&message)
        ));
    }
}

/// `escapeData` of actions/toolkit; and the older form of commands, which the runner takes anywhere in a line.
fn data(text: &str) -> String {
    text.replace("##[", "# #[")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// `escapeProperty` of actions/toolkit.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_properties_are_escaped() {
        assert_eq!(data("50% a\r\n::error::b"), "50%25 a%0D%0A::error::b");
        assert_eq!(data("a ##[error]b"), "a # #[error]b");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
