use countersign_core::{envelope::Envelope, receipt::Terms};

fn peek(envelope: Envelope) -> Terms {
    Terms::from_payload(&envelope.0).unwrap()
}

fn main() {}
