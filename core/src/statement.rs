//! What people sign besides receipts and trust files. Each kind has a payload type of its own, which is
//! signed too, so no signature for one kind can be taken for another.

use alloc::{string::String, vec::Vec};
use core::{fmt, marker::PhantomData};

use serde::{Serialize, Serializer};

use crate::{
    document::to_json,
    dsse::{Dsse, NotSigned, Signs},
    envelope::MOST_BYTES,
    json::{self, Malformed, Object, Value},
    keys::TrustedKey,
};

/// A statement that people sign.
pub trait Statement: Serialize + Sized {
    /// What its payload is called in the envelope.
    const PAYLOAD_TYPE: &'static str;

    /// Reads the members; unknown ones are refused afterwards.
    fn from_members(object: &mut Object) -> Result<Self, Malformed>;
}

/// A statement with signatures that nobody has verified yet; it cannot be read.
#[derive(PartialEq, Eq)]
pub struct Signed<T> {
    envelope: Dsse,
    kind: PhantomData<T>,
}

/// A statement that trusted keys signed. Made by [`Signed::verify`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    statement: T,
    signers: Vec<TrustedKey>,
}

/// Why a statement cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// No trusted key signed it.
    #[error(
        "none of its {signatures} signature(s) is by one of the {trusted} key(s) that may sign it"
    )]
    Untrusted {
        /// How many signatures it has.
        signatures: usize,
        /// How many keys were tried.
        trusted: usize,
    },
    /// It is signed, and not in the form that it should have.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<T: Statement> Signed<T> {
    /// Reads an envelope in JSON.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Self::from_json(json::parse(text.trim().as_bytes(), MOST_BYTES)?)
    }

    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        Dsse::from_json(value, T::PAYLOAD_TYPE).map(Self::new)
    }

    /// A statement, signed by one person.
    pub fn signed_by(statement: &T, signer: &dyn Signs) -> Result<Self, NotSigned> {
        Dsse::new(T::PAYLOAD_TYPE, to_json(statement))
            .signed_by(signer)
            .map(Self::new)
    }

    /// The same with one more signature.
    pub fn countersigned(&self, signer: &dyn Signs) -> Result<Self, NotSigned> {
        self.envelope.signed_by(signer).map(Self::new)
    }

    /// The statement, if one of these keys signed it at least.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k TrustedKey>,
    ) -> Result<Verified<T>, Unverified> {
        let is_signed_by = self.envelope.is_signed_by();
        let mut trusted = 0;
        let tried = keys.into_iter().inspect(|_| trusted += 1);
        let signers: Vec<_> = tried
            .filter(|key| is_signed_by(&key.key))
            .cloned()
            .collect();
        if signers.is_empty() {
            let signatures = self.signatures();
            return Err(Unverified::Untrusted {
                signatures,
                trusted,
            });
        }

        let mut object = json::parse(self.envelope.payload(), MOST_BYTES)?.object()?;
        let statement = T::from_members(&mut object)?;
        object.end()?;
        Ok(Verified { statement, signers })
    }

    /// How many signatures it has, by whatever keys.
    #[must_use]
    pub const fn signatures(&self) -> usize {
        self.envelope.signatures()
    }

    /// The envelope as JSON on one line.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "JSON is text"
    )]
    pub fn to_line(&self) -> String {
        String::from_utf8(to_json(self)).expect("JSON is UTF-8")
    }
}

impl<T> Signed<T> {
    const fn new(envelope: Dsse) -> Self {
        Self {
            envelope,
            kind: PhantomData,
        }
    }
}

impl<T> Verified<T> {
    /// What was signed.
    #[must_use]
    pub const fn statement(&self) -> &T {
        &self.statement
    }

    /// The trusted keys that signed it.
    #[must_use]
    pub fn signers(&self) -> &[TrustedKey] {
        &self.signers
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self::new(self.envelope.clone())
    }
}

/// Says nothing about the payload, which nobody has verified.
impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({:?})", self.envelope)
    }
}

impl<T> Serialize for Signed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.envelope.serialize(serializer)
    }
}
