//! `countersign trust`: proposes, signs and shows versions of the trust file.

mod shown;

use std::path::Path;

use anyhow::{Context as _, ensure};

use countersign_core::{
    document::Document as _,
    keys::PublicKey,
    policy::Policy,
    tables,
    trust::{TrustFile, TrustVersion},
};

use super::{
    Row, print, print_document, read_text,
    signing::{agreed, signer},
    tell,
    trusted::trust_file,
};
use crate::{
    Clock, Environment,
    cli::{TrustProposeArguments, TrustShowArguments, TrustSignArguments},
    exit::Exit,
};

/// Makes the next version from what people wrote, and signs it.
pub(crate) fn propose(
    arguments: &TrustProposeArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let text = read_text(&arguments.version, tables::MOST_BYTES as u64)?;
    let policy = arguments.policy.as_deref().map(|path| {
        let text = read_text(path, tables::MOST_BYTES as u64)?;
        Policy::parse(&text)
            .map(|policy| policy.pin())
            .with_context(|| format!("`{}`", path.display()))
    });
    let given = policy.transpose()?;
    let before = arguments.after.as_deref().map(read_file).transpose()?;
    let trust = before
        .as_ref()
        .map(|file| file.verify(None, clock()))
        .transpose()?;
    let previous = trust.as_ref().map(|trust| trust.pin().digest);
    // A policy that was fixed stays fixed, unless another one takes its place.
    let policy = given.or(trust.as_ref().and_then(|trust| trust.newest().policy));
    let version = TrustVersion::from_toml(&text, previous, clock(), policy)
        .with_context(|| format!("`{}`", arguments.version.display()))?;
    let expected = trust.as_ref().map_or(1, |trust| trust.pin().version + 1);
    ensure!(
        version.version == expected,
        "`{}` is version {}, but the next is {expected}; `--after` names the file that it continues",
        arguments.version.display(),
        version.version
    );
    let mut file = match before {
        Some(mut file) => {
            file.add(&version);
            file
        }
        None => TrustFile::begin(&version),
    };
    add_signature(&mut file, &arguments.key, arguments.yes, environment, clock)
}

/// Adds a signature to the newest version.
pub(crate) fn sign(
    arguments: &TrustSignArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let mut file = read_file(&arguments.file)?;
    add_signature(&mut file, &arguments.key, arguments.yes, environment, clock)
}

fn add_signature(
    file: &mut TrustFile,
    key: &Path,
    yes: bool,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    // The versions before it must hold: nobody continues a history that does not.
    if let Some(before) = file.before() {
        before
            .verify(None, clock())
            .context("the history before this version does not hold")?;
    }
    let proposed = file.proposed()?;
    tell(shown::version(&proposed));
    let signer = signer(key, environment)?;
    // What is wrong with the version itself no signature mends.
    file.sound(clock())?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;
    let before = file.before().map(|before| before.proposed()).transpose()?;
    let known = |version: &TrustVersion| version.keys.iter().any(|known| known.key == public);
    ensure!(
        known(&proposed) || before.as_ref().is_some_and(known),
        "the key {} is neither one of this version nor of the one before it, so its signature would never count",
        public.fingerprint()
    );
    // Directly above the question: a name can look like another one's, a key cannot.
    tell(shown::changes(&proposed, before.as_ref()));
    if !yes && !agreed("Sign this version?")? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    file.sign(signer.as_ref())?;
    print_document(&file.to_document())?;
    match file.verify(None, clock()) {
        Ok(trust) => tell(Row::words(format!(
            "It counts now: {}. Its root is {}.",
            trust.pin(),
            root(file)
        ))),
        Err(error) => tell(Row::words(format!(
            "It does not count yet: {error}. Others sign it with `countersign trust sign`."
        ))),
    }
    Ok(Exit::Success)
}

/// Verifies a trust file and tells which keys count now.
pub(crate) fn show(arguments: &TrustShowArguments, clock: Clock) -> anyhow::Result<Exit> {
    let file = read_file(&arguments.file)?;
    let now = clock();
    match file.verify(arguments.trust_root, now) {
        Ok(trust) => {
            if let Some(version) = trust.stale_after(0) {
                tell(Row::words(format!(
                    "WARNING: version {version} was signed by keys that no longer count. A ledger that has not seen it refuses it (trust_stale)."
                )));
            }
            print(Row::words(format!(
                "{} holds; root {}",
                trust.pin(),
                root(&file)
            )))?;
            print(shown::version(trust.newest()))?;
            for key in &trust.newest().keys {
                if let Err(why) = key.standing(now) {
                    print(Row::words(format!(
                        "{} (`{}`) does not count now: {why}",
                        key.key.fingerprint(),
                        key.name
                    )))?;
                }
            }
            Ok(Exit::Success)
        }
        Err(error) => {
            if let Ok(proposed) = file.proposed() {
                print(shown::version(&proposed))?;
            }
            tell(Row::words(format!("trust_invalid: {error}")));
            Ok(Exit::Refused)
        }
    }
}

fn read_file(path: &Path) -> anyhow::Result<TrustFile> {
    trust_file(path, &read_text(path, TrustFile::MOST_BYTES as u64)?)
}

fn root(file: &TrustFile) -> String {
    file.root().map_or(String::new(), |root| root.to_string())
}
