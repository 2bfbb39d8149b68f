use countersign_core::{envelope::Envelope, receipt::Terms};

fn peek(envelope: Envelope) -> Terms {
    Terms::from_payload(&envelope.payload).unwrap()
}

fn main() {}
