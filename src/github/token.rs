//! The token: it cannot print itself, and it is handed out for one purpose only.

use std::fmt;

use http::HeaderValue;

/// A GitHub token.
pub(crate) struct Token(String);

impl Token {
    /// Takes a token as given; blanks around it come from careless secrets.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(text.into()))
    }

    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut header = HeaderValue::from_str(&format!("Bearer {}", self.0)).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The command that makes the runner hide the token in everything that is printed afterwards.
    pub(crate) fn mask_command(&self) -> String {
        // The runner reads `%25` and the like as what they stand for.
        format!("::add-mask::{}", self.0.replace('%', "%25"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_print_itself() {
        assert_eq!(
            format!("{:?}", Token::new(" ghs_secret\n")),
            "Some(Token(***))"
        );
    }

    #[test]
    fn the_runner_masks_exactly_the_token() {
        assert_eq!(
            Token::new("ghs_50%0A")
                .map(|token| token.mask_command())
                .as_deref(),
            Some("::add-mask::ghs_50%250A")
        );
    }

    #[test]
    fn a_token_is_one_visible_word() {
        for text in ["", "  ", "a b", "a\nb", "tökén"] {
            assert!(Token::new(text).is_none(), "{text}");
        }
    }
}
