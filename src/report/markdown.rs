//! Untrusted text in Markdown: every character that Markdown or HTML could read as markup becomes an entity.

use std::fmt::Write as _;

use countersign_core::text::{Lines, excerpt, visible};

/// Text on one line that stays text.
pub(super) fn text(untrusted: &str) -> String {
    entities(&visible(untrusted, Lines::One))
}

/// Text in the type of code; without backticks, so none in it can end it.
pub(super) fn code(untrusted: &str) -> String {
    format!("<code>{}</code>", text(&excerpt(untrusted, 300)))
}

/// Several lines as they are.
pub(super) fn block(untrusted: &str) -> String {
    format!("<pre>{}</pre>", entities(&visible(untrusted, Lines::Several)))
}

/// A link whose address we made or GitHub named; anything but a plain https address stays text.
pub(super) fn link(label: &str, address: &str) -> String {
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'()[]\\`|*_".contains(&byte) || byte == b'_');
    if plain && (address.starts_with("https://") || address.starts_with("http://127.0.0.1:")) {
        format!("<a href=\"{address}\">{}</a>", text(label))
    } else {
        format!("{} ({})", text(label), code(address))
    }
}

fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | ',' | '-' | ';' | '/' | '=' | '?' | '%') {
            // Writing to a string cannot fail.
            let _ = write!(safe, "&#{};", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    // GitHub makes links of bare addresses that begin with `www.`; those with a scheme lost their colon above.
    safe.replace("www.", "www&#46;").replace("WWW.", "WWW&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_untrusted_is_markup() {
        assert_eq!(text("<img src=x onerror=1>|`a`"), "&#60;img src=x onerror=1&#62;&#124;&#96;a&#96;");
        assert_eq!(
            text("[a](b) ![c] **d** https://e @f"),
            "&#91;a&#93;&#40;b&#41; &#33;&#91;c&#93; &#42;&#42;d&#42;&#42; https&#58;//e &#64;f"
        );
        assert_eq!(text("www.evil.example"), "www&#46;evil.example");
        assert_eq!(text("a\n| b"), "a&#92;u&#123;a&#125;&#124; b");
        assert_eq!(block("</pre>\n\n# x"), "<pre>&#60;&#47;pre&#62;\n\n&#35; x</pre>".replace("&#47;", "/"));
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
