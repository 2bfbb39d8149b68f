//! Names of labels that GitHub refuses because they are nothing but emoji.

/// Whether a name has emoji, the marks that join them, blanks, and nothing else.
pub(super) fn is_emoji_alone(name: &str) -> bool {
    let mut characters = name.chars().filter(|character| !character.is_whitespace());
    !name.trim().is_empty() && characters.all(is_emoji)
}

const fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{200D}' | '\u{FE0F}'
        | '\u{2300}'..='\u{23FF}'
        | '\u{2600}'..='\u{27BF}'
        | '\u{2B00}'..='\u{2BFF}'
        | '\u{1F000}'..='\u{1FAFF}'
        | '\u{E0020}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::is_emoji_alone;

    #[test]
    fn a_word_next_to_the_emoji_is_enough() {
        for (name, alone) in [
            ("😀 😃", true),
            ("🐞", true),
            ("bug 🐞", false),
            ("#1", false),
        ] {
            assert_eq!(is_emoji_alone(name), alone, "{name}");
        }
    }
}
