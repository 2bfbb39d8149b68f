//! The list of trusted keys, and the threshold.

use countersign_core::{
    keys::{MOST_KEYS, PublicKey, Threshold, TrustedKeys},
    text::hides_on_a_line,
};

use crate::can_be_shown;

/// Every key stands once, has a line of its own and a name that can be shown; a threshold is from 1 to their number.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let keys = match TrustedKeys::parse(text) {
        Ok(keys) => keys,
        Err(invalid) => return can_be_shown(&invalid),
    };
    let listed = keys.as_slice();
    assert!((1..=MOST_KEYS).contains(&listed.len()) && keys.retired().is_empty());
    let mut lines = Vec::new();
    for trusted in listed {
        let line = trusted.key.to_openssh();
        assert_eq!(line.parse::<PublicKey>().as_ref(), Ok(&trusted.key));
        assert_eq!(
            PublicKey::new(trusted.key.verifying_key()).as_ref(),
            Some(&trusted.key)
        );
        assert!(!trusted.name.is_empty() && !trusted.name.contains(hides_on_a_line));
        lines.push(line);
    }
    let again = TrustedKeys::parse(&lines.join("\n")).expect("what is written is read");
    assert!(
        again
            .as_slice()
            .iter()
            .map(|trusted| &trusted.key)
            .eq(listed.iter().map(|trusted| &trusted.key))
    );
    for number in 0..=listed.len() + 1 {
        let is_possible = (1..=listed.len()).contains(&number);
        assert_eq!(
            Threshold::parse(&number.to_string(), &keys)
                .map(Threshold::get)
                .ok(),
            is_possible.then_some(number)
        );
    }
}
