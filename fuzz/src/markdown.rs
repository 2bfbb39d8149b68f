//! Untrusted text in the job summary.

use countersign::fuzzing::markdown;
use countersign_core::text::{Lines, excerpt, visible};

/// What a reader sees is the text, made visible; there are no elements but ours, and no character that Markdown gives a meaning to.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    assert_eq!(seen(&markdown::text(text)), visible(text, Lines::One));
    assert_eq!(seen(&markdown::code(text)), excerpt(text, 300));
    assert_eq!(seen(&markdown::block(text)), visible(text, Lines::Several));
    let prose = seen(&markdown::prose(text));
    if text.split('`').all(|part| part.chars().count() <= 300) {
        assert_eq!(
            prose.replace('`', ""),
            visible(&text.replace('`', ""), Lines::One)
        );
    }
    let (label, address) = text.split_once('\0').unwrap_or(("label", text));
    leads_to_plain_addresses(label, address);
}

fn leads_to_plain_addresses(label: &str, address: &str) {
    let link = markdown::link(label, address);
    if let Some(rest) = link.strip_prefix("<a href=\"") {
        assert!(address.starts_with("https://") || address.starts_with("http://127.0.0.1:"));
        let rest = rest
            .strip_prefix(address)
            .and_then(|rest| rest.strip_prefix("\">"))
            .expect("the address stands as it is");
        assert!(
            !address.contains(['"', '<', '>', '\'', '`', '\\'])
                && address.bytes().all(|byte| byte.is_ascii_graphic())
        );
        assert_eq!(
            seen(rest.strip_suffix("</a>").expect("the element ends")),
            visible(label, Lines::One)
        );
    } else {
        assert_eq!(
            seen(&link),
            format!("{} ({})", visible(label, Lines::One), excerpt(address, 300))
        );
    }
}

/// The text that a browser shows of a piece of the summary.
fn seen(markdown: &str) -> String {
    let (mut seen, mut rest) = (String::new(), markdown);
    while let Some(character) = rest.chars().next() {
        if character == '<' {
            let tags = ["<code>", "</code>", "<span>", "</span>", "<pre>", "</pre>"];
            let tag = tags
                .iter()
                .find(|tag| rest.starts_with(**tag))
                .unwrap_or_else(|| panic!("an element that is none of ours: {rest}"));
            rest = &rest[tag.len()..];
        } else if let Some(number) = rest.strip_prefix("&#") {
            let (number, behind) = number.split_once(';').expect("an entity ends");
            seen.push(
                number
                    .parse()
                    .ok()
                    .and_then(char::from_u32)
                    .expect("an entity is a character"),
            );
            rest = behind;
        } else {
            let is_text = !character.is_ascii_punctuation() || ".,-;/?% ()".contains(character);
            assert!(
                is_text,
                "Markdown may give a meaning to {character:?} in {markdown}"
            );
            seen.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    seen
}
