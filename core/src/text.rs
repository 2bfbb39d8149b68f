//! Makes untrusted text visible: nothing that is shown may hide, reorder or overwrite what stands beside it.

use alloc::{borrow::ToOwned as _, string::String};
use core::fmt::Write as _;

/// The text with every character that a reader would not see, or that moves others, written as `\u{…}`.
///
/// Line feeds and tabs stay when `lines` says that the text is shown on several lines.
#[must_use]
pub fn visible(text: &str, lines: Lines) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let kept = matches!(character, '\n' | '\t') && lines == Lines::Several;
        if !kept && hides(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The visible form on one line, cut after `most` characters with the number of those left out.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    let head: String = text.chars().take(most).collect();
    let mut shown = visible(&head, Lines::One);
    let left = text.chars().count().saturating_sub(most);
    if left > 0 {
        let _ = write!(shown, "… ({left} more characters)");
    }
    shown
}

/// Whether two texts differ only as GitHub changes them: in the kind of their line ends, and in blanks at the end.
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    plain(one) == plain(other)
}

/// Whether a text is shown on one line or on several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lines {
    /// Line feeds and tabs are escaped too.
    One,
    /// Line feeds and tabs stay.
    Several,
}

/// Control characters, and what reorders others or shows nothing: Unicode's `Default_Ignorable_Code_Point`, separators of lines, annotations, and
/// signs that fonts draw as nothing (Unicode TR36, "Trojan Source", CVE-2021-42574).
#[must_use]
pub fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{2800}' | '\u{13430}'..='\u{1343f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}')
}

/// As [`hides`], but emoji keep the joiner and the variation selectors that they are made of.
#[must_use]
pub fn hides_on_a_line(character: char) -> bool {
    hides(character) && !matches!(character, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a title shows all of itself. Letters of scripts that join keep the sign between them that keeps them apart, which is part of the spelling
/// of Persian or Hindi, and a flag keeps the tags that say whose it is.
#[must_use]
pub fn shows_itself(title: &str) -> bool {
    let mut before = None;
    let mut rest = title.chars();
    while let Some(character) = rest.next() {
        let is_fine = match character {
            FLAG => {
                rest = after_tags(rest.clone());
                true
            }
            NON_JOINER => before.is_some_and(joins) && rest.clone().next().is_some_and(joins),
            other => !hides_on_a_line(other),
        };
        if !is_fine {
            return false;
        }
        before = Some(character);
    }
    true
}

const NON_JOINER: char = '\u{200c}';
const FLAG: char = '\u{1f3f4}';

/// The letters and signs of scripts in which a non-joiner is spelling: Arabic, Syriac, N'Ko, those of India, Khmer, Myanmar, Mongolian.
const fn joins(character: char) -> bool {
    matches!(character,
        '\u{620}'..='\u{6ff}' | '\u{710}'..='\u{7ff}' | '\u{860}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17d3}' | '\u{1820}'..='\u{18aa}' | '\u{fb50}'..='\u{fdff}')
}

/// What follows the tags of a flag (UTS 51: up to six letters or digits, then the end).
fn after_tags(rest: core::str::Chars<'_>) -> core::str::Chars<'_> {
    let mut tags = rest.clone();
    for _ in 0..6 {
        match tags.next() {
            Some('\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}') => {}
            _ => return rest,
        }
        if tags.clone().next() == Some('\u{e007f}') {
            tags.next();
            return tags;
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_spelt_as_its_language_spells_it() {
        for title in [
            "\u{646}\u{633}\u{62e}\u{647}\u{200c}\u{647}\u{627}\u{6cc} 1.0",
            "\u{915}\u{94d}\u{200c}\u{937}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} 1.0",
            "\u{1f3f4} and \u{1f468}\u{200d}\u{1f469}",
        ] {
            assert!(shows_itself(title), "{}", title.escape_unicode());
        }
        for title in [
            "v1\u{200c}.0",
            "\u{200c}\u{647}",
            "\u{647}\u{200c}",
            "\u{647}\u{200c}\u{200c}\u{647}",
            "\u{647}\u{200c}a",
            "\u{e0067}\u{e007f}",
            "\u{1f3f4}\u{e0067}",
            "\u{1f3f4}\u{e007f}",
            "\u{1f3f4}\u{e0067}\u{e0067}\u{e0067}\u{e0067}\u{e0067}\u{e0067}\u{e0067}\u{e007f}",
            "a\u{202e}b",
        ] {
            assert!(!shows_itself(title), "{}", title.escape_unicode());
        }
    }

    #[test]
    fn hidden_and_reordering_characters_become_visible() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}c\u{1b}[1m", Lines::One),
            "a\\u{202e}b\\u{200b}c\\u{1b}[1m"
        );
        assert_eq!(visible("a\nb\tc\r", Lines::Several), "a\nb\tc\\u{d}");
        assert_eq!(visible("a\nb", Lines::One), "a\\u{a}b");
        assert_eq!(visible("Grüße, 世界 🎉", Lines::One), "Grüße, 世界 🎉");
    }

    #[test]
    fn what_no_reader_sees_becomes_visible() {
        let unseen = "\u{2800}\u{1d173}\u{1bca0}\u{13430}\u{16fe4}\u{1d159}\u{115f}\u{e0041}";
        assert!(unseen.chars().all(hides), "{}", unseen.escape_unicode());
        assert!(!"e\u{301} ÄÖ 世 🎉 a-b_c".chars().any(hides));
    }

    #[test]
    fn texts_are_the_same_but_for_line_ends_and_blanks_at_the_end() {
        assert!(same_text("a\r\nb\n \n", "a\nb"));
        for other in ["a\nB", "a b", " a\nb", "a\n\nb", ""] {
            assert!(!same_text(other, "a\nb"), "{other:?}");
        }
    }

    #[test]
    fn an_excerpt_says_how_much_it_leaves_out() {
        assert_eq!(excerpt("äöüß", 4), "äöüß");
        assert_eq!(excerpt("äöüß", 1), "ä… (3 more characters)");
    }
}
