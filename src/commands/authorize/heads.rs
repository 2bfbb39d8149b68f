//! Remembers the tip of each ledger that this person has signed for: a ledger that no longer holds it
//! was rewritten.
//!
//! GitHub can show any branch, and someone who can write to the branch can also make up what a plan
//! says of it. What a person saw before is kept here, out of reach of both.

use std::{
    fs::{self, DirBuilder, File},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Checkpoint, EntryId, Head},
    name::RepositoryId,
    timestamp::Timestamp,
};

use crate::{Environment, random, regular_file};

/// The only version of the file that there is.
const VERSION: u32 = 1;
/// Bounds the file: some 2,000 ledgers.
pub(in crate::commands) const MAX_BYTES: u64 = 1 << 20;
/// Lost heads that are kept per ledger.
const MAX_LOST: usize = 8;

/// Where the heads are kept, and the host of their repositories.
#[derive(Clone)]
pub(in crate::commands) struct Heads {
    folder: PathBuf,
    host: String,
}

/// A ledger as this person last signed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Remembered {
    pub(in crate::commands) head: SeenHead,
    /// Heads that the ledger had lost, and a person signed all the same; the newest first.
    pub(in crate::commands) lost: Vec<SeenHead>,
}

/// The tip of a ledger, and when this person signed above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct SeenHead {
    pub(in crate::commands) at: Checkpoint,
    pub(in crate::commands) seen_at: Timestamp,
}

/// heads.json. Unknown members are refused: it was not written here, or by a newer version.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    ledgers: Vec<KeptLedger>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commands) struct KeptLedger {
    host: String,
    repository_id: u64,
    head: KeptHead,
    lost: Vec<KeptHead>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeptHead {
    commit: String,
    sequence: u64,
    digest: Option<String>,
    seen_at: String,
}

impl Heads {
    /// Those that this person's machine keeps for a host.
    pub(in crate::commands) fn of(environment: &Environment, host: String) -> Result<Self> {
        let state = match (environment.get("XDG_STATE_HOME"), environment.get("HOME")) {
            (Some(state), _) => PathBuf::from(state),
            (None, Some(home)) => Path::new(home).join(".local/state"),
            (None, None) => {
                bail!("there is no place to remember the ledger's head: set HOME or XDG_STATE_HOME")
            }
        };
        ensure!(
            state.is_absolute(),
            "`{}`, from XDG_STATE_HOME or HOME, is not an absolute path",
            state.display()
        );
        let folder = state.join("countersign");
        Ok(Self { folder, host })
    }

    /// What is remembered of a repository's ledger.
    pub(in crate::commands) fn remembered(
        &self,
        repository: RepositoryId,
    ) -> Result<Option<Remembered>> {
        let kept = self.read()?;
        let found = kept
            .ledgers
            .iter()
            .find(|kept| self.is_of(kept, repository));
        found
            .map(Remembered::try_from)
            .transpose()
            .with_context(|| self.unusable())
    }

    /// Remembers a ledger for which this person has signed. `merged` is given what is remembered by
    /// then, since another command may have signed in the meantime.
    pub(in crate::commands) fn remember(
        &self,
        repository: RepositoryId,
        merged: impl FnOnce(Option<Remembered>) -> Remembered,
    ) -> Result<()> {
        let _lock = self.locked()?;
        let before = self.remembered(repository)?;
        let mut kept = self.read()?;
        kept.ledgers.retain(|kept| !self.is_of(kept, repository));
        kept.ledgers.push(self.kept(repository, &merged(before)));
        self.write(kept)
    }

    /// Everything that is remembered, of every host, as the file holds it.
    pub(in crate::commands) fn exported(&self) -> Result<String> {
        Ok(format!("{}\n", serde_json::to_string(&self.read()?)?))
    }

    /// What another machine remembers, next to what this one does.
    pub(in crate::commands) fn given(&self, bytes: &[u8]) -> Result<Vec<Given>> {
        let own = self.read()?.ledgers;
        let given = kept_of(bytes)?.ledgers.into_iter();
        given
            .map(|given| {
                let mut same = own.iter();
                let own = same.find(|own| own.place() == given.place());
                Given::of(given, own)
            })
            .collect()
    }

    /// Remembers what is new of it. What this machine saw itself, also since it was asked, is kept.
    pub(in crate::commands) fn add(&self, given: Vec<Given>) -> Result<()> {
        let _lock = self.locked()?;
        let mut kept = self.read()?;
        for given in given {
            let Given::New { kept: new, .. } = given else {
                continue;
            };
            if kept.ledgers.iter().all(|own| own.place() != new.place()) {
                kept.ledgers.push(new);
            }
        }
        self.write(kept)
    }

    /// No other command writes the file while this is held.
    fn locked(&self) -> Result<File> {
        self.make_folder()?;
        let lock = private()
            .create(true)
            .truncate(false)
            .open(self.folder.join("heads.lock"))?;
        lock.lock()
            .context("the file heads.lock cannot be locked")?;
        Ok(lock)
    }

    fn is_of(&self, kept: &KeptLedger, repository: RepositoryId) -> bool {
        kept.host == self.host && kept.repository_id == repository.0
    }

    fn path(&self) -> PathBuf {
        self.folder.join("heads.json")
    }

    fn unusable(&self) -> String {
        format!(
            "`{}` cannot be used, and is never replaced: look at it. If you delete it, this machine forgets every ledger that it saw",
            self.path().display()
        )
    }

    fn read(&self) -> Result<Kept> {
        let file = match regular_file::open(&self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Kept {
                    version: VERSION,
                    ledgers: Vec::new(),
                });
            }
            Err(error) => return Err(error).with_context(|| self.unusable()),
        };
        kept_in(&file).with_context(|| self.unusable())
    }

    fn make_folder(&self) -> Result<()> {
        let mut private = DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("`{}` cannot be made", self.folder.display()))?;
        let mode = fs::metadata(&self.folder)?.permissions().mode();
        ensure!(
            mode & 0o022 == 0,
            "others may write to `{}`: `chmod 700` it",
            self.folder.display()
        );
        Ok(())
    }

    /// Replaces the file in one step, or leaves the old one as it is.
    fn write(&self, mut kept: Kept) -> Result<()> {
        kept.ledgers
            .sort_by(|one, other| one.place().cmp(&other.place()));
        let text = format!("{}\n", serde_json::to_string(&kept)?);
        ensure!(
            text.len() as u64 <= MAX_BYTES,
            "`{}` would have more than {MAX_BYTES} bytes",
            self.path().display()
        );
        let next = self
            .folder
            .join(format!("heads.json.{}", random::hex::<8>()));
        let written = private()
            .create_new(true)
            .open(&next)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&next, self.path()));
        if written.is_err() {
            drop(fs::remove_file(&next));
        }
        written.with_context(|| format!("`{}` cannot be written", self.path().display()))
    }

    fn kept(&self, repository: RepositoryId, remembered: &Remembered) -> KeptLedger {
        KeptLedger {
            host: self.host.clone(),
            repository_id: repository.0,
            head: KeptHead::from(&remembered.head),
            lost: remembered.lost.iter().map(KeptHead::from).collect(),
        }
    }
}

impl Remembered {
    /// A ledger that holds what was remembered of it, or of which nothing was remembered.
    pub(in crate::commands) fn grown(head: SeenHead, before: Option<Self>) -> Self {
        let lost = before.map_or(Vec::new(), |before| before.lost);
        Self { head, lost }
    }

    /// A ledger that lost the head that was remembered of it: both are kept.
    pub(in crate::commands) fn replaced(head: SeenHead, before: Self) -> Self {
        let mut lost = before.lost;
        lost.insert(0, before.head);
        lost.truncate(MAX_LOST);
        Self { head, lost }
    }
}

/// A ledger as another machine remembers it.
pub(in crate::commands) enum Given {
    /// This machine has not seen it.
    New {
        ledger: String,
        head: SeenHead,
        kept: KeptLedger,
    },
    /// This machine has seen it itself, further or less far.
    Known { ledger: String, head: SeenHead },
    /// Both cannot be true of one branch.
    Contradicts {
        ledger: String,
        head: SeenHead,
        own: SeenHead,
    },
}

impl Given {
    fn of(kept: KeptLedger, own: Option<&KeptLedger>) -> Result<Self> {
        let ledger = format!("repository {} on {}", kept.repository_id, kept.host);
        let head = SeenHead::try_from(&kept.head)?;
        let own = own.map(|own| SeenHead::try_from(&own.head)).transpose()?;
        Ok(match own {
            None => Self::New { ledger, head, kept },
            // Every number of an entry is given once.
            Some(own)
                if own.at.head.sequence() == head.at.head.sequence()
                    && own.at.head != head.at.head =>
            {
                Self::Contradicts { ledger, head, own }
            }
            Some(_) => Self::Known { ledger, head },
        })
    }
}

impl KeptLedger {
    const fn place(&self) -> (&String, u64) {
        (&self.host, self.repository_id)
    }
}

fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

fn kept_in(file: &File) -> Result<Kept> {
    let mode = file.metadata()?.permissions().mode();
    ensure!(mode & 0o022 == 0, "others may write to it");

    let mut text = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    ensure!(
        text.len() as u64 <= MAX_BYTES,
        "it has more than {MAX_BYTES} bytes"
    );
    kept_of(&text)
}

fn kept_of(text: &[u8]) -> Result<Kept> {
    let kept: Kept = serde_json::from_slice(text)?;
    ensure!(kept.version == VERSION, "its version is {}", kept.version);

    let mut places: Vec<_> = kept
        .ledgers
        .iter()
        .map(|kept| (&kept.host, kept.repository_id))
        .collect();
    places.sort_unstable();
    places.dedup();
    ensure!(
        places.len() == kept.ledgers.len(),
        "it lists a ledger twice"
    );
    kept.ledgers
        .iter()
        .try_for_each(|kept| Remembered::try_from(kept).map(drop))?;
    Ok(kept)
}

impl TryFrom<&KeptLedger> for Remembered {
    type Error = anyhow::Error;

    fn try_from(kept: &KeptLedger) -> Result<Self> {
        let lost = kept.lost.iter().map(SeenHead::try_from);
        Ok(Self {
            head: SeenHead::try_from(&kept.head)?,
            lost: lost.collect::<Result<_>>()?,
        })
    }
}

impl TryFrom<&KeptHead> for SeenHead {
    type Error = anyhow::Error;

    fn try_from(kept: &KeptHead) -> Result<Self> {
        let head = match (kept.sequence, &kept.digest) {
            (0, None) => Head::EMPTY,
            (1.., Some(digest)) => Head::at(EntryId {
                sequence: kept.sequence,
                digest: digest.parse().context("a digest")?,
            }),
            _ => bail!("sequence 0 and no digest belong together"),
        };
        let commit = kept.commit.parse().context("a commit")?;
        Ok(Self {
            at: Checkpoint { commit, head },
            seen_at: kept.seen_at.parse().context("a time")?,
        })
    }
}

impl From<&SeenHead> for KeptHead {
    fn from(seen: &SeenHead) -> Self {
        Self {
            commit: seen.at.commit.to_string(),
            sequence: seen.at.head.sequence(),
            digest: seen
                .at
                .head
                .newest()
                .map(|newest| newest.digest.to_string()),
            seen_at: seen.seen_at.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::digest::Digest;

    use super::*;

    const HERE: RepositoryId = RepositoryId(7);

    fn heads(folder: &tempfile::TempDir, host: &str) -> Heads {
        Heads {
            folder: folder.path().join("countersign"),
            host: host.into(),
        }
    }

    fn seen(sequence: u64) -> SeenHead {
        SeenHead {
            at: Checkpoint {
                commit: format!("{sequence:040x}").parse().unwrap(),
                head: match sequence {
                    0 => Head::EMPTY,
                    _ => Head::at(EntryId {
                        sequence,
                        digest: Digest::of(b"entry"),
                    }),
                },
            },
            seen_at: "2026-11-21T12:00:00Z".parse().unwrap(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_head_is_remembered_by_host_and_number_in_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (heads(&folder, "github.com"), heads(&folder, "ghe.example"));
        assert_eq!(here.remembered(HERE).unwrap(), None);
        assert!(!here.folder.exists(), "looking writes nothing");

        for sequence in [0, 3] {
            here.remember(HERE, |before| Remembered::grown(seen(sequence), before))
                .unwrap();
        }
        let expected = Remembered::grown(seen(3), None);
        assert_eq!(here.remembered(HERE).unwrap(), Some(expected));
        assert_eq!(here.remembered(RepositoryId(8)).unwrap(), None);
        assert_eq!(there.remembered(HERE).unwrap(), None);

        assert_eq!((mode(&here.folder), mode(&here.path())), (0o700, 0o600));
        let mut names: Vec<_> = fs::read_dir(&here.folder)
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["heads.json", "heads.lock"]);
    }

    #[test]
    fn a_lost_head_is_kept_next_to_the_new_one_and_so_are_eight() {
        let folder = tempfile::tempdir().unwrap();
        let here = heads(&folder, "github.com");
        here.remember(HERE, |before| Remembered::grown(seen(20), before))
            .unwrap();
        for sequence in (1..=10).rev() {
            here.remember(HERE, |before| {
                Remembered::replaced(seen(sequence), before.unwrap())
            })
            .unwrap();
        }
        let found = here.remembered(HERE).unwrap().unwrap();
        assert_eq!(found.head, seen(1));
        assert_eq!(found.lost, (2..=9).map(seen).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_not_written_here_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let here = heads(&folder, "github.com");
        here.remember(HERE, |before| Remembered::grown(seen(3), before))
            .unwrap();
        let good = fs::read_to_string(here.path()).unwrap();
        let twice = format!(
            "{0},{1}",
            good.trim_end().trim_end_matches("]}"),
            good.split_once('[').unwrap().1
        );
        for bad in [
            String::new(),
            "{}".into(),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("\"lost\":[]", "\"lost\":[],\"more\":1"),
            good.replace("\"sequence\":3", "\"sequence\":0"),
            good.replace("\"commit\":\"0", "\"commit\":\""),
            good.replace("2026", "then"),
            twice,
            format!("{good}{}", " ".repeat(1 << 20)),
        ] {
            assert_ne!(bad, good);
            fs::write(here.path(), &bad).unwrap();
            let error = format!("{:#}", here.remembered(HERE).unwrap_err());
            assert!(error.contains("is never replaced"), "{error}");
            assert!(
                here.remember(HERE, |_| Remembered::grown(seen(4), None))
                    .is_err()
            );
            assert_eq!(fs::read_to_string(here.path()).unwrap(), bad);
        }
        fs::write(here.path(), &good).unwrap();
        fs::set_permissions(here.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(here.remembered(HERE).is_err(), "others may write to it");
    }
}
