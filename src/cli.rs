//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};

use countersign_core::{
    digest::Digest,
    name::{Actor, Login, ReceiptId, Repository, RunId, TagName, Title},
    operation::Kind,
    policy::Pattern,
    timestamp::{Lifetime, Timestamp},
};

use crate::{
    Clock, Environment, Log,
    commands::{self, TrustedArguments, keys::Protection},
    exit::Exit,
    on_runtime,
};

/// Publishes a release, creates a tag or opens a pull request only if a signed one-time receipt allows exactly that.
///
/// A dry run (`mode: dry_run` in the Action) writes plan.json. An approver looks at it and signs it with
/// `countersign authorize`; the receipt that this prints lets the Action publish exactly what was approved, once.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done as asked
  1  failed: the message says what was done and what was not
  2  the command line is wrong
  3  refused: nothing was written to GitHub
  4  unknown whether the operation was done: re-run the job, its next attempt looks first
  5  `audit` found something that needs a look, or `rehearse` something that differs";

#[derive(Subcommand)]
enum Command {
    /// Make one attempt with the inputs of the GitHub Action (what action.yml calls).
    Action {
        /// The script file that the runner hands to every shell; it is not read.
        #[arg(hide = true)]
        script: Option<PathBuf>,
    },
    /// Make the plan of a campaign outside of a run. Takes the token from `GH_TOKEN` or `GITHUB_TOKEN`.
    Plan(PlanArguments),
    /// Make keys for approvers, and look at them.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at a plan, and sign a receipt for each operation that lets it be published once.
    Authorize(AuthorizeArguments),
    /// Add your signature to a receipt that another approver issued: two people, two machines, no shared secret.
    Sign(SignArguments),
    /// Take a receipt back that you signed and that was not used: no one can use it any more.
    Withdraw(WithdrawArguments),
    /// Check a receipt against a plan, offline; tells every rule.
    Verify(VerifyArguments),
    /// Check a release, or files downloaded from it, against the receipt that it carries (`attach-receipt`).
    VerifyRelease(VerifyReleaseArguments),
    /// Check a policy.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Propose, sign and show versions of a trust file.
    Trust {
        #[command(subcommand)]
        command: TrustCommand,
    },
    /// Find what was published around the gate, what is not as approved, and receipts that are left open.
    Audit(AuditArguments),
    /// Set up, show or verify the ledger of used receipts.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Take what this machine remembers of ledgers to another machine of yours.
    Heads {
        #[command(subcommand)]
        command: HeadsCommand,
    },
    /// Write one page over a ledger and audit records, to be opened in any browser.
    Report(ReportArguments),
    /// Try on a scratch repository what Countersign relies on, and remove everything again.
    Rehearse(RehearseArguments),
}

#[derive(Subcommand)]
enum HeadsCommand {
    /// Print the heads that this machine remembers: every ledger that someone signed for here.
    Export,
    /// Remember the ledgers of an exported file that this machine has not seen itself.
    Import {
        /// The file, or `-` for standard input.
        file: PathBuf,
        /// Remember them without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make an ed25519 key: FILE holds the secret key, FILE.pub the line for `trusted-keys`.
    Generate {
        /// Where the secret key goes; an existing file is never replaced.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The name that reports show for this key, for example an e-mail address.
        #[arg(long, default_value = "")]
        name: String,
        /// Do not ask for a passphrase: a key for a machine, which whoever reads the file can use.
        #[arg(long)]
        no_passphrase: bool,
    },
    /// List the keys of a file (trusted keys or a trust file), or those of the ssh-agent.
    List {
        /// The file; without it the ssh-agent at `SSH_AUTH_SOCK` is asked.
        file: Option<PathBuf>,
    },
    /// Print the fingerprint of the key in a file, public or secret.
    Fingerprint {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Find rules that never decide or that nobody can satisfy; with --plan, explain what the policy decides.
    Check(PolicyCheckArguments),
}

#[derive(Args)]
pub(crate) struct PolicyCheckArguments {
    /// The policy.
    pub(crate) policy: PathBuf,
    /// The trusted keys (a list or a trust file), to tell whether approvers have keys and logins.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: Option<PathBuf>,
    /// The digest of the trust file's first version.
    #[arg(long, value_name = "DIGEST", requires = "trusted_keys")]
    pub(crate) trust_root: Option<Digest>,
    /// A plan.json to decide about.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// The name of a key that would sign; may be given several times.
    #[arg(long, value_name = "NAME", requires = "plan")]
    pub(crate) approver: Vec<String>,
    /// How long the receipts would count.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) expires_in: Lifetime,
}

#[derive(Subcommand)]
enum TrustCommand {
    /// Make the next version from a TOML file, and sign it; prints the new trust file.
    Propose(TrustProposeArguments),
    /// Add a signature to the newest version; prints the new trust file.
    Sign(TrustSignArguments),
    /// Verify a trust file and tell which keys count.
    Show(TrustShowArguments),
}

#[derive(Args)]
pub(crate) struct TrustProposeArguments {
    /// The version as people write it: `version`, `threshold`, and one `[[key]]` for each key.
    pub(crate) version: PathBuf,
    /// The trust file that it continues; without it, this is the first version.
    #[arg(long, value_name = "FILE")]
    pub(crate) after: Option<PathBuf>,
    /// The one policy that may decide with these keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The key that signs, as for `authorize`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct TrustSignArguments {
    /// The trust file.
    pub(crate) file: PathBuf,
    /// The key that signs, as for `authorize`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct TrustShowArguments {
    /// The trust file.
    pub(crate) file: PathBuf,
    /// The digest of its first version.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) trust_root: Option<Digest>,
}

#[derive(Args)]
pub(crate) struct PlanArguments {
    /// The campaign file.
    pub(crate) campaign: PathBuf,
    /// The repository for operations that name none.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<Repository>,
    /// The run for which receipts are to be issued; in a job of GitHub Actions that run, if not given.
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<RunId>,
    /// Who asks for the campaign; a policy may exclude them from approving it.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) requested_by: Option<Actor>,
    /// A variable of the campaign, `name=value`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) set: Vec<(String, String)>,
    /// The folder from which files are meant; the current one if not given.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// A branch that may contain the commits of releases and tags, by name or by a pattern with `*`;
    /// may be given several times. The default branch if not given.
    #[arg(long, value_name = "BRANCH")]
    pub(crate) reachable_from: Vec<Pattern>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Args)]
pub(crate) struct AuthorizeArguments {
    /// The plan.json of a dry run, exactly as it was written.
    #[arg(required_unless_present = "run", conflicts_with = "run")]
    pub(crate) plan: Option<PathBuf>,
    /// Fetch plan.json from this run's artifact instead, with the token in `GH_TOKEN` or `GITHUB_TOKEN`.
    #[arg(long, value_name = "ID", requires = "repository")]
    pub(crate) run: Option<RunId>,
    /// The repository of that run.
    #[arg(long, value_name = "OWNER/NAME", requires = "run")]
    pub(crate) repository: Option<Repository>,
    /// A branch that may contain the commits of releases and tags, by name or by a pattern with `*`;
    /// may be given several times. The default branch if not given; with --policy, its rules say it.
    #[arg(
        long,
        value_name = "BRANCH",
        requires = "run",
        conflicts_with = "policy"
    )]
    pub(crate) reachable_from: Vec<Pattern>,
    /// The artifact, if several hold a plan.
    #[arg(long, value_name = "NAME", requires = "run")]
    pub(crate) artifact: Option<String>,
    /// The artifact by its number, if not the newest of its name is meant.
    #[arg(long, value_name = "NUMBER", requires = "run")]
    pub(crate) artifact_id: Option<u64>,
    /// Sign also if the run began with this event, although its actor need not know what it does.
    #[arg(long, value_name = "EVENT", requires = "run")]
    pub(crate) allow_event: Option<String>,
    /// Sign also if the run is of a fork, whose owner chose the workflow and the files.
    #[arg(long, requires = "run")]
    pub(crate) allow_fork: bool,
    /// Sign for this run, which the plan names instead of the one that left it.
    #[arg(long, value_name = "ID", requires = "run")]
    pub(crate) for_run: Option<RunId>,
    /// The key: an OpenSSH file (its passphrase is asked for on the terminal), PKCS#8 PEM, or a public key whose secret half an
    /// ssh-agent has.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The policy: without its leave a receipt is advisory and allows nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The trusted keys (a list or a trust file), by which the policy knows whose key this is.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: Option<PathBuf>,
    /// The digest of the trust file's first version.
    #[arg(long, value_name = "DIGEST", requires = "trusted_keys")]
    pub(crate) trust_root: Option<Digest>,
    /// How long the receipts count: 90s, 30m, 1h; at most 24h.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) expires_in: Lifetime,
    /// Sign advisory receipts: they show what would be allowed, and the publisher refuses them.
    #[arg(long)]
    pub(crate) advisory: bool,
    /// Start this workflow with the receipts, after asking: its inputs must be `receipt` and `run-id`.
    #[arg(
        long,
        value_name = "WORKFLOW",
        requires = "run",
        conflicts_with = "advisory"
    )]
    pub(crate) dispatch: Option<String>,
    /// The branch or tag on which it is started; the default branch if not given.
    #[arg(long = "ref", value_name = "REF", requires = "dispatch")]
    pub(crate) reference: Option<String>,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct SignArguments {
    /// A file with the receipts, one a line, or `-` for standard input.
    pub(crate) receipt: PathBuf,
    /// The plan.json that was approved: what you sign is shown from it.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// A receipt must be signed by one of these already.
    #[command(flatten)]
    pub(crate) trusted: TrustedArguments,
    /// The key, as for `authorize`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct WithdrawArguments {
    /// A file with the receipts, one per line, or `-` for standard input.
    #[arg(required_unless_present = "statement", conflicts_with = "statement", requires_all = ["key", "reason"])]
    pub(crate) receipt: Option<PathBuf>,
    /// A receipt must be signed by one of these, and a statement too.
    #[command(flatten)]
    pub(crate) trusted: TrustedArguments,
    /// The key, as for `authorize`: one of yours, and you must have signed the receipt.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Why, in one line: whoever is refused reads it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<Title>,
    /// Only print the signed statement. The receipt can be used until someone carries the statement to the ledger.
    #[arg(long, conflicts_with = "statement")]
    pub(crate) no_post: bool,
    /// Carry these statements to the ledger, one per line, which a signer made with `--no-post`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "reason"])]
    pub(crate) statement: Option<PathBuf>,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// A file with the receipts, one a line, or `-` for standard input.
    pub(crate) receipt: PathBuf,
    /// The plan.json that was approved.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) trusted: TrustedArguments,
    /// How many of them must have signed; 1 if not given, or what the trust file says.
    #[arg(long)]
    pub(crate) threshold: Option<String>,
    /// The policy that must give leave.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VerifyReleaseArguments {
    /// The repository, as `owner/name`.
    #[arg(value_name = "OWNER/NAME")]
    pub(crate) repository: Repository,
    /// The release's tag.
    #[arg(value_name = "TAG")]
    pub(crate) tag: TagName,
    #[command(flatten)]
    pub(crate) trusted: TrustedArguments,
    /// How many of them must have signed; 1 if not given. With a trust file each claim's own version says how many.
    #[arg(long)]
    pub(crate) threshold: Option<String>,
    /// Check the files of this folder instead, with countersign-receipt.json among them: no network, no token.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Read the ledger from a clone or checkout; without it from GitHub, and with --folder not at all.
    #[arg(long, value_name = "PATH")]
    pub(crate) ledger: Option<PathBuf>,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Make the branch `receipt-ledger` in a repository, once. Takes the token from `GH_TOKEN` or `GITHUB_TOKEN`.
    Init {
        /// The repository, as `owner/name`.
        #[arg(long, value_name = "OWNER/NAME")]
        repository: Repository,
        /// Set the ruleset that forbids deleting or rewriting the branch; the token must be an administrator's.
        #[arg(long)]
        protect: bool,
    },
    /// Show the entries of a ledger, newest first.
    Show(LedgerShowArguments),
    /// Recompute a ledger from its first entry on, trusting nothing that is stored.
    Verify(LedgerVerifyArguments),
    /// Sign that damage of a ledger is known: `ledger verify` and `audit` list it from then on, and do not fail for it.
    Accept(LedgerAcceptArguments),
}

#[derive(Args)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
    #[command(flatten)]
    pub(crate) keys: LedgerKeys,
    /// Damage that enough people accepted (`ledger accept`): it is listed as a note.
    #[arg(long, value_name = "FILE", requires = "trusted_keys")]
    pub(crate) accepted: Option<PathBuf>,
    /// Leave out what was done before this day or moment: 2026-11-01 or 2026-11-01T12:00:00Z, UTC. Tags are never left out: their
    /// dates are what their makers wrote.
    #[arg(long, value_name = "TIME", default_value = "1970-01-01", value_parser = moment)]
    pub(crate) since: Timestamp,
    /// Tags that stood before the ledger, as `git show-ref --tags` lists them: those that lead there still need no receipt.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_tags: Option<PathBuf>,
    /// Whose pull requests need a receipt; may be given several times. People may open theirs without.
    #[arg(long, value_name = "LOGIN", default_value = "github-actions[bot]")]
    pub(crate) pulls_by: Vec<String>,
    /// Whose commits the ledger is made of; may be given several times. Commits by others are reported.
    #[arg(long, value_name = "LOGIN", default_value = "github-actions[bot]")]
    pub(crate) ledger_by: Vec<String>,
    /// How findings are printed. In a job of GitHub Actions they become annotations too.
    #[arg(long, value_enum, default_value_t = AuditFormat::Table)]
    pub(crate) format: AuditFormat,
}

/// How an audit is printed.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum AuditFormat {
    /// For people.
    Table,
    /// One document with everything.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    whole.parse().map_err(|_| {
        "expected a day like 2026-11-01 or a moment like 2026-11-01T12:00:00Z".to_owned()
    })
}

/// Where a ledger is read from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct LedgerPlace {
    /// A checkout of the branch `receipt-ledger`, or a clone that holds it (a bare or mirror clone too).
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// Read it from this repository on GitHub, with the token in `GH_TOKEN` or `GITHUB_TOKEN`.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<Repository>,
}

#[derive(Args)]
pub(crate) struct LedgerShowArguments {
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
    /// Only entries about this receipt.
    #[arg(long, value_name = "ID")]
    pub(crate) receipt: Option<ReceiptId>,
    /// Only entries of this workflow run.
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<RunId>,
    /// Only entries of this kind: `publish_release`, `tag_repo` or `open_pr`.
    #[arg(long)]
    pub(crate) kind: Option<Kind>,
}

#[derive(Args)]
pub(crate) struct LedgerVerifyArguments {
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
    #[command(flatten)]
    pub(crate) keys: LedgerKeys,
    /// Damage that enough people accepted (`ledger accept`): it is listed, and everything else still fails.
    #[arg(long, value_name = "FILE", requires = "trusted_keys")]
    pub(crate) accepted: Option<PathBuf>,
    /// Whose commits the ledger is made of; may be given several times. Commits by others are reported.
    #[arg(long, value_name = "LOGIN", default_value = "github-actions[bot]")]
    pub(crate) ledger_by: Vec<String>,
}

#[derive(Args)]
pub(crate) struct LedgerAcceptArguments {
    /// The repository whose ledger it is, as `owner/name`. Takes the token from `GH_TOKEN` or `GITHUB_TOKEN`.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Repository,
    #[command(flatten)]
    pub(crate) keys: LedgerKeys,
    /// A commit and what is wrong about it, as `ledger verify` names it: `COMMIT:history`; may be given several times. For a
    /// bad entry, the commit that added it.
    #[arg(
        long,
        value_name = "COMMIT:ASPECT",
        required_unless_present = "statement",
        requires_all = ["reason", "trusted_keys"]
    )]
    pub(crate) damage: Vec<commands::ledger::NamedDamage>,
    /// What happened, in one line.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<Title>,
    /// Add a signature to this statement instead, which another person made.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["damage", "reason"], requires = "trusted_keys")]
    pub(crate) statement: Option<PathBuf>,
    /// The key that signs, as for `authorize`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// By which keys the receipts of a ledger must be signed.
#[derive(Args)]
pub(crate) struct LedgerKeys {
    /// The trusted public keys, one a line, or a trust file; without them signatures are not checked, and the output says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: Option<PathBuf>,
    /// The digest of the trust file's first version.
    #[arg(long, value_name = "DIGEST", requires = "trusted_keys")]
    pub(crate) trust_root: Option<Digest>,
    /// How many of them must have signed each receipt; 1 if not given. With a trust file: each receipt from before it decided.
    #[arg(long, requires = "trusted_keys")]
    pub(crate) threshold: Option<String>,
}

#[derive(Args)]
#[command(group = ArgGroup::new("shown").args(["path", "repository", "records", "plan"]).required(true).multiple(true))]
pub(crate) struct ReportArguments {
    /// Where the page is written; a file that is there is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The ledger: a checkout of the branch `receipt-ledger`, or a clone that holds it.
    #[arg(value_name = "PATH", conflicts_with = "repository")]
    pub(crate) path: Option<PathBuf>,
    /// Read the ledger from this repository on GitHub, with the token in `GH_TOKEN` or `GITHUB_TOKEN`.
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<Repository>,
    /// An audit record, or a folder that is searched for `audit-record.json`; may be given several times.
    #[arg(long, value_name = "FILE-OR-FOLDER")]
    pub(crate) records: Vec<PathBuf>,
    /// A plan.json; may be given several times. Those beside audit records are taken anyway.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: LedgerKeys,
}

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct RehearseArguments {
    /// The scratch repository. It must be empty, or hold its first commit and `.github/workflows/countersign-*.yml` alone.
    #[arg(long, value_name = "OWNER/NAME", required_unless_present = "list")]
    pub(crate) repository: Option<Repository>,
    /// The same name again: it may be tried out on whatever it holds.
    #[arg(long, value_name = "OWNER/NAME", requires = "repository")]
    pub(crate) really: Option<Repository>,
    /// Only this probe; may be given several times.
    #[arg(long, value_name = "ID", value_parser = commands::rehearse::probe_id)]
    pub(crate) probe: Vec<&'static str>,
    /// Show the probes with what they need, how many content writes they make, and what they expect. Nothing is asked.
    #[arg(long)]
    pub(crate) list: bool,
    /// Try what makes very many requests too: it may use up the token's limits of this hour.
    #[arg(long)]
    pub(crate) heavy: bool,
    /// A collaborator of that repository whose review may be asked for.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) reviewer: Option<Login>,
    /// Write the findings as JSON, for a bug report.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Leave owner, repository, logins and request ids out of the findings in that file.
    #[arg(long, requires = "out")]
    pub(crate) redact: bool,
    /// Begin without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Parses and runs one command line.
pub(crate) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    clock: Clock,
) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version come this way too, with success.
            let printed = told.print();
            return if told.exit_code() == 0 && printed.is_ok() {
                Exit::Success
            } else {
                Exit::Usage
            };
        }
    };
    let log = Log::stdout();
    match cli.command {
        Command::Action { script: _ } => crate::action(environment, clock, log),
        Command::Keys {
            command:
                KeysCommand::Generate {
                    out,
                    name,
                    no_passphrase,
                },
        } => commands::keys::generate(&out, &name, Protection::unless(no_passphrase)).end(),
        Command::Keys {
            command: KeysCommand::List { file },
        } => commands::keys::list(file.as_deref(), environment, clock).end(),
        Command::Keys {
            command: KeysCommand::Fingerprint { file },
        } => commands::keys::fingerprint(&file).end(),
        Command::Plan(arguments) => on_runtime(&log, async {
            commands::plan::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Authorize(arguments) => on_runtime(&log, async {
            commands::authorize::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Sign(arguments) => commands::sign::run(&arguments, environment, clock).end(),
        Command::Heads {
            command: HeadsCommand::Export,
        } => commands::heads::export(environment).end(),
        Command::Heads {
            command: HeadsCommand::Import { file, yes },
        } => commands::heads::import(&file, yes, environment).end(),
        Command::Withdraw(arguments) => on_runtime(&log, async {
            commands::withdraw::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Policy {
            command: PolicyCommand::Check(arguments),
        } => commands::policy::check(&arguments, clock).end(),
        Command::Trust {
            command: TrustCommand::Propose(arguments),
        } => commands::trust::propose(&arguments, environment, clock).end(),
        Command::Trust {
            command: TrustCommand::Sign(arguments),
        } => commands::trust::sign(&arguments, environment, clock).end(),
        Command::Trust {
            command: TrustCommand::Show(arguments),
        } => commands::trust::show(&arguments, clock).end(),
        Command::Audit(arguments) => on_runtime(&log, async {
            commands::audit::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Report(arguments) => on_runtime(&log, async {
            commands::report::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Rehearse(arguments) => on_runtime(&log, async {
            commands::rehearse::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Verify(arguments) => commands::verify::run(&arguments, clock).end(),
        Command::VerifyRelease(arguments) => on_runtime(&log, async {
            commands::verify_release::run(&arguments, environment, clock)
                .await
                .end()
        }),
        Command::Ledger { command } => ledger(command, environment, clock, &log),
    }
}

fn ledger(command: LedgerCommand, environment: &Environment, clock: Clock, log: &Log) -> Exit {
    match command {
        LedgerCommand::Show(arguments) => on_runtime(log, async {
            commands::ledger::show(&arguments, environment).await.end()
        }),
        LedgerCommand::Verify(arguments) => on_runtime(log, async {
            commands::ledger::verify(&arguments, environment, clock)
                .await
                .end()
        }),
        LedgerCommand::Accept(arguments) => on_runtime(log, async {
            commands::ledger::accept(&arguments, environment, clock)
                .await
                .end()
        }),
        LedgerCommand::Init {
            repository,
            protect,
        } => on_runtime(log, async {
            commands::ledger::init(repository, protect, environment)
                .await
                .end()
        }),
    }
}

/// Commands for people end with an exit code, or with an error that says what to do.
trait End {
    fn end(self) -> Exit;
}

impl End for anyhow::Result<Exit> {
    fn end(self) -> Exit {
        self.unwrap_or_else(|error| {
            commands::tell_error(&error);
            Exit::Failed
        })
    }
}
