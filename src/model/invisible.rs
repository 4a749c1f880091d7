//! Characters that nobody sees: they have no width, or turn the order of reading around.

/// Whether a character turns the order of reading around.
///
/// Source: Boucher and Anderson 2021, "Trojan Source", on controls of directions in source code.
pub const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is one of Unicode's tags: a second ASCII that no font draws.
pub const fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Whether a character hides: it turns the order of reading around, is a tag, or has no width and is no part of a letter.
pub const fn hides(c: char) -> bool {
    turns(c) || is_tag(c) || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{180e}' | '\u{feff}')
}

/// A text in which nothing hides: such characters are written out, as in `⟨U+202E⟩`.
pub fn visible(text: &str) -> String {
    if !text.contains(hides) {
        return text.to_owned();
    }
    let write = |mut text: String, c: char| {
        if hides(c) {
            text.push_str(&format!("\u{27e8}U+{:04X}\u{27e9}", u32::from(c)));
        } else {
            text.push(c);
        }
        text
    };
    text.chars().fold(String::with_capacity(text.len()), write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_in_a_text_is_written_out() {
        assert_eq!(visible("+if a\u{202e} b\u{200b}"), "+if a⟨U+202E⟩ b⟨U+200B⟩");
        assert_eq!(visible("a\u{e0041}"), "a⟨U+E0041⟩");
        assert_eq!(visible("+grün 絹"), "+grün 絹");
    }
}
