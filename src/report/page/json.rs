//! JSON inside of a page: nothing in it can end its block, and no character in it hides or moves others.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use countersign_core::text::hides;

/// Writes a value as compact JSON whose texts are what people see: hidden and reordering characters stand as `\u{…}`, and `<`, with
/// which every end of a block begins, is escaped.
pub(super) fn write<T: Serialize>(out: &mut impl Write, value: &T) -> io::Result<()> {
    value
        .serialize(&mut Serializer::with_formatter(out, InPage))
        .map_err(io::Error::from)
}

struct InPage;

impl Formatter for InPage {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices() {
            if character != '<' && !hides(character) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[written..at])?;
            written = at + character.len_utf8();
            if character == '<' {
                writer.write_all(b"\\u003c")?;
            } else {
                write_visible(writer, character)?;
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }

    fn write_char_escape<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Backspace => write_visible(writer, '\u{8}'),
            CharEscape::FormFeed => write_visible(writer, '\u{c}'),
            CharEscape::CarriageReturn => write_visible(writer, '\r'),
            CharEscape::AsciiControl(byte) => write_visible(writer, char::from(byte)),
            // Lines and tabs of a text are meant to be seen as such.
            CharEscape::LineFeed
            | CharEscape::Tab
            | CharEscape::Quote
            | CharEscape::ReverseSolidus
            | CharEscape::Solidus => CompactFormatter.write_char_escape(writer, escape),
        }
    }
}

/// The character's number as text, its backslash escaped.
fn write_visible<W: Write + ?Sized>(writer: &mut W, character: char) -> io::Result<()> {
    write!(writer, "\\\\u{{{:x}}}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::text::{Lines, visible};

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_text_can_end_its_block() {
        assert_eq!(written("</script><!--"), r#""\u003c/script>\u003c!--""#);
    }

    #[test]
    fn what_a_reader_would_not_see_is_written_out() {
        for text in [
            "a\u{202e}b",
            "\u{0}",
            "\u{2028}\u{2029}",
            "x\u{7f}",
            "a\r\nb\tc",
            "\u{8}\u{c}\u{1b}",
            "Grüße, 世界 🎉",
            "\\u{202e}\"<&>'",
        ] {
            let read: String = serde_json::from_str(&written(text)).unwrap();
            assert_eq!(read, visible(text, Lines::Several), "{text:?}");
        }
    }
}
