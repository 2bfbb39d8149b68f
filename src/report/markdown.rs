//! Untrusted text in Markdown: nothing in it becomes markup, nor a link, a mention or an emoji.
//!
//! Entities stop what GitHub reads while it parses. Mentions, issues, commits, emoji, formulas and addresses of mail are found later, in the
//! text of the finished page, where an entity is the character again. There an element between two characters stops them.

use std::fmt::Write as _;

use countersign_core::text::{Lines, excerpt, visible};

/// Text on one line that stays text.
pub(crate) fn text(untrusted: &str) -> String {
    let shown = visible(untrusted, Lines::One);
    let mut safe = String::with_capacity(shown.len());
    let mut at = 0;
    for part in words(&shown) {
        // GitHub makes a link of every word that may be the id of a commit, but not in code; longer ones are digests.
        if is_id(part) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "<code>{part}</code>");
        } else {
            escape(&shown, at, part, &mut safe);
        }
        at += part.len();
    }
    safe
}

/// A message, in which backticks stand around names: they become code.
pub(crate) fn prose(untrusted: &str) -> String {
    let mut parts: Vec<&str> = untrusted.split('`').collect();
    // The last backtick of an odd number is one.
    let rest = if parts.len().is_multiple_of(2) {
        parts.pop().map(|rest| format!("&#96;{}", text(rest)))
    } else {
        None
    };
    let shown = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match (index % 2, *part) {
            (0, part) => text(part),
            (_, "") => "&#96;&#96;".into(),
            (_, part) => code(part),
        });
    shown.chain(rest).collect()
}

/// Text in the type of code; without backticks, so none in it can end it.
pub(crate) fn code(untrusted: &str) -> String {
    format!("<code>{}</code>", escaped(&excerpt(untrusted, 300)))
}

/// Several lines as they are.
pub(crate) fn block(untrusted: &str) -> String {
    let shown = visible(untrusted, Lines::Several);
    format!(
        "<pre>{}</pre>",
        shown.chars().map(entity).collect::<String>()
    )
}

/// A link whose address we made or GitHub named; anything but a plain https address stays text.
pub(crate) fn link(label: &str, address: &str) -> String {
    let plain = address
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\"'()[]\\`|*_".contains(&byte) || byte == b'_');
    if plain && (address.starts_with("https://") || address.starts_with("http://127.0.0.1:")) {
        format!(
            "<a href=\"{address}\">{}</a>",
            escaped(&visible(label, Lines::One))
        )
    } else {
        format!("{} ({})", text(label), code(address))
    }
}

/// A text with its digests and commits cut to the first digits, for tables: two whole ones do not fit beside each other.
pub(super) fn shortened(text: &str) -> String {
    let digest = |part: &str| part.len() >= 40 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    words(text)
        .map(|part| {
            if digest(part) {
                format!("{}…", &part[..12])
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// The text in pieces: words of letters and digits, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(|character: char| !character.is_ascii_alphanumeric())
        .flat_map(|piece| {
            let end = piece
                .trim_end_matches(|character: char| !character.is_ascii_alphanumeric())
                .len();
            let (word, between) = piece.split_at(end);
            [word, between].into_iter().filter(|part| !part.is_empty())
        })
}

fn is_id(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    escape(text, 0, text, &mut safe);
    safe
}

/// Appends the part that begins at this byte of the whole.
fn escape(whole: &str, begin: usize, part: &str, safe: &mut String) {
    for (at, character) in part.char_indices() {
        if begins_reference(whole, begin + at, character) {
            let _ = write!(safe, "<span>{}</span>", entity(character));
        } else {
            safe.push_str(&entity(character));
        }
    }
}

/// Whether GitHub may read a reference here: `@name`, `a@b.c`, `#1`, `:emoji:`, `https://`, `$formula$`, `GH-1`, `www.`.
fn begins_reference(text: &str, at: usize, character: char) -> bool {
    let ends_with = |end: &str| {
        at.checked_sub(end.len())
            .and_then(|from| text.get(from..at))
            .is_some_and(|before| before.eq_ignore_ascii_case(end))
    };
    match character {
        '@' | '$' | '#' => true,
        // Not one at the end of a word, as in `input: …`.
        ':' => text[at + 1..]
            .chars()
            .next()
            .is_some_and(|next| !next.is_whitespace()),
        '-' => ends_with("gh"),
        '.' => ends_with("www"),
        _ => false,
    }
}

fn entity(character: char) -> String {
    if character.is_ascii_punctuation()
        && !matches!(character, '.' | ',' | '-' | ';' | '/' | '?' | '%')
    {
        format!("&#{};", u32::from(character))
    } else {
        character.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_untrusted_is_markup() {
        assert_eq!(
            text("<img src=x onerror>|`a`"),
            "&#60;img src&#61;x onerror&#62;&#124;&#96;a&#96;"
        );
        assert_eq!(
            text("[a](b) ![c] **d** \\"),
            "&#91;a&#93;&#40;b&#41; &#33;&#91;c&#93; &#42;&#42;d&#42;&#42; &#92;"
        );
        assert_eq!(text("a\n| b"), "a&#92;u&#123;a&#125;&#124; b");
        assert_eq!(
            block("</pre>\n\n# x @y"),
            "<pre>&#60;/pre&#62;\n\n&#35; x &#64;y</pre>"
        );
    }

    #[test]
    fn nothing_untrusted_refers_to_anything() {
        assert_eq!(
            text("@f a@b.c"),
            "<span>&#64;</span>f a<span>&#64;</span>b.c"
        );
        assert_eq!(
            text("o/r#1 GH-1 :tada: $x$"),
            "o/r<span>&#35;</span>1 GH<span>-</span>1 <span>&#58;</span>tada&#58; <span>&#36;</span>x<span>&#36;</span>"
        );
        assert_eq!(
            text("https://e WWW.e: x"),
            "https<span>&#58;</span>//e WWW<span>.</span>e&#58; x"
        );
        assert_eq!(
            text("at 0a1b2c3, not 0a1b2c"),
            "at <code>0a1b2c3</code>, not 0a1b2c"
        );
        assert_eq!(code("a@b.c"), "<code>a<span>&#64;</span>b.c</code>");
    }

    #[test]
    fn backticks_of_messages_become_code() {
        assert_eq!(
            prose("input `a`: `b<`"),
            "input <code>a</code>&#58; <code>b&#60;</code>"
        );
        assert_eq!(prose("`a` and ` b"), "<code>a</code> and &#96; b");
        assert_eq!(prose("``"), "&#96;&#96;");
    }

    #[test]
    fn digests_in_tables_are_short() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(
            shortened(&format!("entry 4 (sha256:{digest})")),
            "entry 4 (sha256:0123456789ab…)"
        );
        assert_eq!(shortened(&digest[..40]), "0123456789ab…");
        assert_eq!(shortened(&digest[..39]), digest[..39]);
    }

    #[test]
    fn only_plain_addresses_become_links() {
        assert_eq!(
            link("a|b", "https://github.com/o/r/releases/tag/v1"),
            "<a href=\"https://github.com/o/r/releases/tag/v1\">a&#124;b</a>"
        );
        assert!(!link("x", "javascript:alert(1)").contains("href"));
        assert!(!link("x", "https://e/\"onclick=").contains("href"));
    }
}
