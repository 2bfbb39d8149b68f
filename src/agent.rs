//! Keys that an ssh-agent keeps: it signs, and the secret half never comes here.
//!
//! Source of the messages: <https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent>, sections 3.5 and 3.6. A client crate
//! was looked at; it pulls in RSA and three more curves, of which nothing here has a use.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::{Signature, VerifyingKey};

use countersign_core::envelope::Signs;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Largest answer that is read: an agent with a thousand keys.
const MOST_ANSWER: u32 = 256 * 1024;
const ED25519: &[u8] = b"ssh-ed25519";

/// A key in an agent.
pub(crate) struct AgentKey {
    key: VerifyingKey,
    socket: std::path::PathBuf,
}

impl AgentKey {
    /// The key of this public half, if the agent has it, and the agent's comment on it.
    pub(crate) fn find(socket: &Path, key: VerifyingKey) -> anyhow::Result<(Self, String)> {
        let mut known = identities(socket)?.into_iter();
        let (_, comment) = known.find(|(known, _)| *known == key).with_context(|| {
            format!(
                "the ssh-agent at {} does not have this key; add it with `ssh-add`, or plug in the token that holds it",
                socket.display()
            )
        })?;
        let socket = socket.to_owned();
        Ok((Self { key, socket }, comment))
    }
}

impl Signs for AgentKey {
    fn verifying_key(&self) -> VerifyingKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, String> {
        signature(&self.socket, &self.key, message).map_err(|error| format!("{error:#}"))
    }
}

/// The ed25519 keys of an agent with their comments; it may keep others, of which no use is made.
pub(crate) fn identities(socket: &Path) -> anyhow::Result<Vec<(VerifyingKey, String)>> {
    let answer = ask(socket, &[REQUEST_IDENTITIES])?;
    let mut answer = Words(&answer);
    ensure!(
        answer.byte()? == IDENTITIES_ANSWER,
        "the ssh-agent does not tell its keys"
    );
    let mut keys = Vec::new();
    for _ in 0..answer.number()? {
        let (blob, comment) = (
            answer.text()?,
            String::from_utf8_lossy(answer.text()?).into_owned(),
        );
        let mut blob = Words(blob);
        if blob.text()? == ED25519 {
            let bytes: &[u8; 32] = blob
                .text()?
                .try_into()
                .context("the ssh-agent told a key that is none")?;
            keys.extend(
                VerifyingKey::from_bytes(bytes)
                    .ok()
                    .map(|key| (key, comment)),
            );
        }
    }
    Ok(keys)
}

fn signature(socket: &Path, key: &VerifyingKey, message: &[u8]) -> anyhow::Result<Signature> {
    let blob = [text(ED25519), text(key.as_bytes())].concat();
    let answer = ask(
        socket,
        &[
            &[SIGN_REQUEST],
            text(&blob).as_slice(),
            &text(message),
            &[0; 4],
        ]
        .concat(),
    )?;
    let mut answer = Words(&answer);
    if answer.byte()? != SIGN_RESPONSE {
        bail!(
            "the ssh-agent did not sign: it is locked, somebody said no, or the token was not touched"
        );
    }
    let mut signature = Words(answer.text()?);
    ensure!(
        signature.text()? == ED25519,
        "the ssh-agent signed in another way than ed25519"
    );
    Signature::from_slice(signature.text()?).context("the ssh-agent's signature is none")
}

/// One question, one answer.
fn ask(socket: &Path, question: &[u8]) -> anyhow::Result<Vec<u8>> {
    let unreachable = || {
        format!(
            "the ssh-agent at {} (SSH_AUTH_SOCK) does not answer",
            socket.display()
        )
    };
    let mut agent = UnixStream::connect(socket).with_context(unreachable)?;
    agent.write_all(&text(question)).with_context(unreachable)?;
    let mut length = [0; 4];
    agent.read_exact(&mut length).with_context(unreachable)?;
    let length = u32::from_be_bytes(length);
    ensure!(
        (1..=MOST_ANSWER).contains(&length),
        "the ssh-agent answers with {length} bytes, at most {MOST_ANSWER} are read"
    );
    let mut answer = vec![0; length as usize];
    agent.read_exact(&mut answer).with_context(unreachable)?;
    Ok(answer)
}

/// A length in four bytes, and that many bytes.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), bytes].concat()
}

/// Reads an answer word by word.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .context("the ssh-agent's answer ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> anyhow::Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> anyhow::Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into()?))
    }

    fn text(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }
}
