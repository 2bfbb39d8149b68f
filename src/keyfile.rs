//! Keys that sign: in files (OpenSSH or PKCS#8 PEM), or in the ssh-agent that has the secret half of a public key.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, bail};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey as _};
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey, private::Ed25519Keypair};

use countersign_core::{envelope::Signs, keys::PublicKey};

use crate::agent::AgentKey;

/// Rounds of bcrypt-pbkdf, as `ssh-keygen` has them since OpenSSH 9.4.
const ROUNDS: u32 = 24;

/// Whoever signs with the key in a file: the key itself, or, for a public key, the agent that has its
/// secret half, with what it calls the key.
pub(crate) fn signer(
    text: &str,
    agent: Option<&str>,
    passphrase: impl FnOnce() -> io::Result<String>,
) -> anyhow::Result<(Box<dyn Signs>, Option<String>)> {
    if text.trim_start().starts_with("ssh-") || text.trim_start().starts_with("sk-ssh-") {
        let key: PublicKey = text.parse().map_err(anyhow::Error::msg)?;
        let socket = agent.context("this is a public key: its secret half is looked for in an ssh-agent, but SSH_AUTH_SOCK is not set")?;
        let (key, comment) = AgentKey::find(Path::new(socket), key.verifying_key())?;
        return Ok((Box::new(key), Some(comment)));
    }
    Ok((Box::new(read(text, passphrase)?), None))
}

/// Reads a secret key; one with a passphrase only if somebody tells it.
pub(crate) fn read(
    text: &str,
    passphrase: impl FnOnce() -> io::Result<String>,
) -> anyhow::Result<SigningKey> {
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        let mut key = PrivateKey::from_openssh(text)
            .context("the OpenSSH key cannot be read; keys are ed25519, make one with `countersign keys generate`")?;
        if key.is_encrypted() {
            let told = passphrase().context(
                "the key has a passphrase, and there is no terminal on which to ask for it",
            )?;
            key = key.decrypt(told).map_err(|_| {
                anyhow::anyhow!("the passphrase does not open the key; nothing was signed")
            })?;
        }
        let pair = key
            .key_data()
            .ed25519()
            .context("the key is not ed25519; make one with `countersign keys generate`")?;
        return Ok(SigningKey::from_bytes(&pair.private.to_bytes()));
    }
    if text.contains("BEGIN PRIVATE KEY") {
        return SigningKey::from_pkcs8_pem(text)
            .map_err(|error| anyhow::anyhow!("the PKCS#8 key is no ed25519 key: {error}"));
    }
    bail!(
        "the file holds no OpenSSH private key, no PKCS#8 PEM key, and no public key that an ssh-agent could sign with"
    )
}

/// The public half of a key; that of an OpenSSH key is readable without its passphrase.
pub(crate) fn public(
    text: &str,
    passphrase: impl FnOnce() -> io::Result<String>,
) -> anyhow::Result<PublicKey> {
    if text.trim_start().starts_with("ssh-") || text.trim_start().starts_with("ecdsa-") {
        return text.parse().map_err(anyhow::Error::msg);
    }
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return key
            .public_key()
            .to_openssh()?
            .parse()
            .map_err(anyhow::Error::msg);
    }
    PublicKey::new(read(text, passphrase)?.verifying_key()).context("the key is weak")
}

/// A new key.
pub(crate) struct NewKey(PrivateKey);

impl NewKey {
    pub(crate) fn generate(name: &str) -> anyhow::Result<Self> {
        let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&random_bytes()?));
        key.set_comment(name);
        Ok(Self(key))
    }

    /// The line for `trusted-keys`.
    pub(crate) fn public(&self) -> anyhow::Result<String> {
        let line = self.0.public_key().to_openssh();
        line.context("the key cannot be written")
    }

    /// The OpenSSH file, encrypted if there is a passphrase.
    pub(crate) fn secret(&self, passphrase: Option<&str>) -> anyhow::Result<String> {
        let encrypted = passphrase.map(|passphrase| encrypted(&self.0, passphrase));
        let encrypted = encrypted.transpose()?;
        let written = encrypted
            .as_ref()
            .unwrap_or(&self.0)
            .to_openssh(LineEnding::LF);
        Ok(written.context("the key cannot be written")?.to_string())
    }
}

fn encrypted(key: &PrivateKey, passphrase: &str) -> anyhow::Result<PrivateKey> {
    let kdf = Kdf::Bcrypt {
        salt: random_bytes::<16>()?.to_vec(),
        rounds: ROUNDS,
    };
    let check = u32::from_be_bytes(random_bytes()?);
    key.encrypt_with(Cipher::Aes256Ctr, kdf, check, passphrase)
        .context("the key cannot be encrypted")
}

fn random_bytes<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

/// Writes a file that must not exist yet, readable as `mode` says from its first byte on.
pub(crate) fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_PASSPHRASE: &str = include_str!("../tests/keys/passphrase");

    fn nobody() -> io::Result<String> {
        Err(io::Error::other("nobody is there"))
    }

    #[test]
    fn a_key_with_a_passphrase_opens_to_nobody_else() {
        let key = read(WITH_PASSPHRASE, || Ok("correct horse".into())).unwrap();
        let public = countersign_core::keys::PublicKey::new(key.verifying_key()).unwrap();
        assert!(include_str!("../tests/keys/passphrase.pub").starts_with(&public.to_openssh()));
        let told = |passphrase: fn() -> io::Result<String>| {
            format!("{:#}", read(WITH_PASSPHRASE, passphrase).unwrap_err())
        };
        assert_eq!(
            told(|| Ok("wrong horse".into())),
            "the passphrase does not open the key; nothing was signed"
        );
        assert_eq!(
            told(nobody),
            "the key has a passphrase, and there is no terminal on which to ask for it: nobody is there"
        );
    }

    #[test]
    fn a_generated_key_is_read_again() {
        let made = NewKey::generate("alice@example.org").unwrap();
        let public = made.public().unwrap();
        let key = read(&made.secret(None).unwrap(), nobody).unwrap();
        let trusted = countersign_core::keys::TrustedKeys::parse(&public).unwrap();
        assert_eq!(trusted.as_slice()[0].name, "alice@example.org");
        let public = countersign_core::keys::PublicKey::new(key.verifying_key());
        assert_eq!(public.as_ref(), Some(&trusted.as_slice()[0].key));
    }

    #[test]
    fn a_key_that_is_generated_with_a_passphrase_opens_with_it_alone() {
        let made = NewKey::generate("alice@example.org").unwrap();
        let secret = made.secret(Some("correct horse")).unwrap();
        let opened = read(&secret, || Ok("correct horse".into())).unwrap();
        let plain = read(&made.secret(None).unwrap(), nobody).unwrap();
        assert_eq!(opened.to_bytes(), plain.to_bytes());
        assert_eq!(
            read(&secret, || Ok("wrong horse".into()))
                .unwrap_err()
                .to_string(),
            "the passphrase does not open the key; nothing was signed"
        );
        assert!(secret.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    }

    #[test]
    fn a_pkcs8_key_of_openssl_is_read() {
        // The key of RFC 8410, section 10.3.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            read(pem, nobody).unwrap().to_bytes()[..4],
            [0xd4, 0xee, 0x72, 0xdb]
        );
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        assert_eq!(
            read("hello", nobody).unwrap_err().to_string(),
            "the file holds no OpenSSH private key, no PKCS#8 PEM key, and no public key that an ssh-agent could sign with"
        );
    }
}
