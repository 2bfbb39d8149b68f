//! The report: one file that shows a ledger and audit records in any browser, without a network. What comes from outside is data in
//! it, never markup.

mod data;
mod json;

use std::io::{self, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub(crate) use self::data::{Finding, Item, LedgerTold, LeftOut, Standing, Summary, entry};

const TEMPLATE: &str = include_str!("page/template.html");
const STYLE: &str = concat!(
    include_str!("page/page.css"),
    include_str!("page/operation.css")
);
/// One script in the end; each file is a part that one can read by itself.
const SCRIPT: &str = concat!(
    include_str!("page/elements.js"),
    include_str!("page/model.js"),
    include_str!("page/search.js"),
    include_str!("page/operation.js"),
    include_str!("page/timeline.js"),
    include_str!("page/list.js"),
    include_str!("page/main.js"),
);

/// A page that is being written: items go out as they come, so that a large ledger need not lie in memory.
pub(crate) struct Page<W> {
    out: W,
    items: u64,
}

impl<W: Write> Page<W> {
    /// Begins a page, up to where its data stand.
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        let (before, _) = around_data();
        for part in before.split_inclusive("}}") {
            let (text, value) = filled(part);
            out.write_all(text.as_bytes())?;
            out.write_all(value.as_bytes())?;
        }
        out.write_all(b"[\n")?;
        Ok(Self { out, items: 0 })
    }

    /// Adds an item.
    pub(crate) fn add<T: Serialize>(&mut self, item: &Item<'_, T>) -> io::Result<()> {
        if self.items > 0 {
            self.out.write_all(b",\n")?;
        }
        self.items += 1;
        json::write(&mut self.out, item)
    }

    /// Ends the page with what is to be said of the whole.
    pub(crate) fn end(mut self, summary: &Summary) -> io::Result<W> {
        self.add(&Item::Report::<()>(summary))?;
        self.out.write_all(b"\n]")?;
        let (_, after) = around_data();
        for part in after.split_inclusive("}}") {
            let (text, value) = filled(part);
            self.out.write_all(text.as_bytes())?;
            self.out.write_all(value.as_bytes())?;
        }
        Ok(self.out)
    }
}

const DATA: &str = "{{data}}";

fn around_data() -> (&'static str, &'static str) {
    TEMPLATE.split_once(DATA).unwrap_or((TEMPLATE, ""))
}

/// Text of the template, and what takes the place of the mark at its end.
fn filled(part: &'static str) -> (&'static str, String) {
    for (mark, value) in [
        ("{{policy}}", policy as fn() -> String),
        ("{{style}}", || STYLE.into()),
        ("{{script}}", || SCRIPT.into()),
    ] {
        if let Some(text) = part.strip_suffix(mark) {
            return (text, value());
        }
    }
    (part, String::new())
}

/// Nothing is loaded, and nothing runs but the one script; not even that may turn text into elements.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_each_mark_once() {
        for mark in ["{{policy}}", "{{style}}", "{{script}}", DATA] {
            assert_eq!(TEMPLATE.matches(mark).count(), 1, "{mark}");
        }
        assert_eq!(TEMPLATE.matches("{{").count(), 4);
    }

    #[test]
    fn no_part_of_the_page_makes_markup_out_of_text() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "new Function",
            ".srcdoc",
            "setHTML",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        for word in [
            "http://", "https://", "url(", "@import", "style=\"", "onclick", "onload",
        ] {
            assert!(!TEMPLATE.contains(word) && !STYLE.contains(word), "{word}");
        }
        // Whatever ends one of the blocks early would stand in the page as markup.
        assert!(!SCRIPT.contains("</") && !STYLE.contains('<') && !SCRIPT.contains("<!--"));
    }
}
