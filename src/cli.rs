//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use countersign_core::{
    name::{ReceiptId, RunId},
    operation::Kind,
};

use crate::{Environment, Log, commands, exit::Exit, on_runtime, system_clock};

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
  4  unknown whether the operation was done: re-run the job, its next attempt looks first";

#[derive(Subcommand)]
enum Command {
    /// Make one attempt with the inputs of the GitHub Action (what action.yml calls).
    Action {
        /// The script file that the runner hands to every shell; it is not read.
        #[arg(hide = true)]
        script: Option<PathBuf>,
    },
    /// Make keys for approvers.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at a plan, and sign a receipt that lets it be published once.
    Authorize(AuthorizeArguments),
    /// Add your signature to a receipt that another approver issued: two people, two machines, no shared secret.
    Sign(SignArguments),
    /// Check a receipt against a plan, offline; tells every rule.
    Verify(VerifyArguments),
    /// Set up, show or verify the ledger of used receipts.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
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
    },
}

#[derive(Args)]
pub(crate) struct AuthorizeArguments {
    /// The plan.json of a dry run, exactly as it was written.
    pub(crate) plan: PathBuf,
    /// The secret key: an OpenSSH file (its passphrase is asked for on the terminal), or PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// How long the receipt counts: 90s, 30m, 1h; at most 24h.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) expires_in: String,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct SignArguments {
    /// A file with the receipt, or `-` for standard input.
    pub(crate) receipt: PathBuf,
    /// The plan.json that was approved: what you sign is shown from it.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// The trusted public keys, one a line: the receipt must be signed by one of them already.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: PathBuf,
    /// The secret key: an OpenSSH file (its passphrase is asked for on the terminal), or PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Sign without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// A file with the receipt, or `-` for standard input.
    pub(crate) receipt: PathBuf,
    /// The plan.json that was approved.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// The trusted public keys, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: PathBuf,
    /// How many of them must have signed.
    #[arg(long, default_value = "1")]
    pub(crate) threshold: String,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Make the branch `receipt-ledger` in a repository, once. Takes the token from `GH_TOKEN` or `GITHUB_TOKEN`.
    Init {
        /// The repository, as `owner/name`.
        #[arg(long, value_name = "OWNER/NAME")]
        repository: String,
        /// Set the ruleset that forbids deleting or rewriting the branch; the token must be an administrator's.
        #[arg(long)]
        protect: bool,
    },
    /// Show the entries of a ledger, newest first.
    Show(LedgerShowArguments),
    /// Recompute a ledger from its first entry on, trusting nothing that is stored.
    Verify(LedgerVerifyArguments),
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
    pub(crate) repository: Option<String>,
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
    /// The trusted public keys, one a line; without them signatures are not checked, and the output says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: Option<PathBuf>,
    /// How many of them must have signed each receipt; 1 if not given.
    #[arg(long, requires = "trusted_keys")]
    pub(crate) threshold: Option<String>,
}

/// Parses and runs one command line.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version come this way too, with success.
            let printed = told.print();
            return if told.exit_code() == 0 && printed.is_ok() { Exit::Success } else { Exit::Usage };
        }
    };
    let log = Log::stdout();
    match cli.command {
        Command::Action { script: _ } => crate::action(environment, system_clock, log),
        Command::Keys { command: KeysCommand::Generate { out, name } } => commands::keys::generate(&out, &name).end(),
        Command::Authorize(arguments) => commands::authorize::run(&arguments, system_clock).end(),
        Command::Sign(arguments) => commands::sign::run(&arguments, system_clock).end(),
        Command::Verify(arguments) => commands::verify::run(&arguments, system_clock).end(),
        Command::Ledger { command: LedgerCommand::Show(arguments) } => {
            on_runtime(&log, async { commands::ledger::show(&arguments, environment).await.end() })
        }
        Command::Ledger { command: LedgerCommand::Verify(arguments) } => {
            on_runtime(&log, async { commands::ledger::verify(&arguments, environment).await.end() })
        }
        Command::Ledger { command: LedgerCommand::Init { repository, protect } } => {
            on_runtime(&log, async { commands::ledger::init(&repository, protect, environment).await.end() })
        }
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
