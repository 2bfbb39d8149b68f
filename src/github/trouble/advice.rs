//! What to do after GitHub refused. Only its message gives the reason, so the message is searched;
//! nothing but the advice depends on it.

/// What keeps a token from what it asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Barrier {
    Permission,
    /// The setting that lets jobs open pull requests is off.
    PullRequestsOff,
    Archived,
    /// The organization allows only certain addresses.
    Address,
    /// The organization requires the token to be authorized by single sign-on.
    SingleSignOn,
}

impl Barrier {
    pub(super) fn of(message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        let says = |text: &str| message.contains(text);
        if says("archived so is read-only") {
            Self::Archived
        } else if says("ip allow list") {
            Self::Address
        } else if says("saml") {
            Self::SingleSignOn
        } else if says("not permitted to create or approve pull requests") {
            Self::PullRequestsOff
        } else {
            Self::Permission
        }
    }

    /// The setting that has to be changed first, if a person can change one.
    pub(super) const fn setting(self) -> Option<&'static str> {
        match self {
            Self::PullRequestsOff => Some(
                "the setting \"Allow GitHub Actions to create and approve pull requests\" \
                 (Settings, Actions, General)",
            ),
            Self::Archived => Some("a repository that is not archived"),
            Self::Permission | Self::Address | Self::SingleSignOn => None,
        }
    }

    pub(super) fn remedy(self, permissions: Option<&str>) -> &'static str {
        match self {
            Self::Permission if permissions.is_some_and(|wanted| wanted.starts_with("actions")) => {
                "Grant the job `actions: read` under `permissions:`, or hand over a token that has it."
            }
            Self::Permission if permissions.is_some() => {
                "Grant the job that permission under `permissions:`, or hand over a token that has it."
            }
            Self::Permission => {
                "Grant the job the permission under `permissions:` (contents: write; for open_pr also pull-requests: write, and the setting \
                 \"Allow GitHub Actions to create and approve pull requests\"), or hand over a token that has it."
            }
            Self::PullRequestsOff => {
                "Turn on \"Allow GitHub Actions to create and approve pull requests\" under Settings, Actions, General (the organization may forbid it), or hand over another token than the job's."
            }
            Self::Archived => {
                "Unarchive the repository first: nothing can be written to an archived one, whatever the token may do."
            }
            Self::Address => {
                "The organization allows only certain addresses, and no permission changes that: have the runner's address added, or use a runner whose address is allowed."
            }
            Self::SingleSignOn => {
                "The organization requires single sign-on: authorize the token for it where the token was made. No permission changes that."
            }
        }
    }
}

/// Why GitHub does not accept what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Objection {
    /// What was to be made already exists.
    Exists,
    Reviewer,
    EmptyRepository,
    Expired,
    /// The server does not support the request's form, or does not understand it at all.
    Form,
    Rules,
    /// A rule or limit that only GitHub's message names.
    Unnamed,
}

impl Objection {
    pub(super) fn of(status: u16, message: &str) -> Self {
        let message = message.to_ascii_lowercase();
        let says = |text: &str| message.contains(text);
        match status {
            400 | 406 | 415 => Self::Form,
            410 if says("api version") => Self::Form,
            410 => Self::Expired,
            409 if says("repository is empty") => Self::EmptyRepository,
            // First, because the name of a branch stands in it.
            _ if says("reference already exists") || says("pull request already exists for") => {
                Self::Exists
            }
            _ if says("rule violation")
                || says("pre_receive")
                || says("reference update failed") =>
            {
                Self::Rules
            }
            _ if says("already_exists") || says("already exists") => Self::Exists,
            _ if says("reviews may only be requested") || says("review cannot be requested") => {
                Self::Reviewer
            }
            _ => Self::Unnamed,
        }
    }

    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Exists => {
                "It already exists, and Countersign does not replace it: find out who made it. If it should not exist, remove it and make a new plan."
            }
            Self::Reviewer => {
                "Name reviewers who are collaborators and do not open the pull request themselves. If it is already open, request the reviews there."
            }
            Self::EmptyRepository => {
                "Push a first commit: in an empty repository GitHub makes no branch and no tag."
            }
            Self::Expired => {
                "What GitHub stored has expired: run the dry run again and use its plan."
            }
            Self::Form => {
                "GitHub does not accept the request in this form. Use a newer version of Countersign, or report it with the server's version; a proxy on the way can be the cause too."
            }
            Self::Rules => {
                "A ruleset of the repository or of its organization forbids this operation: have an administrator look at the rule that GitHub names."
            }
            Self::Unnamed => {
                "Read GitHub's message: a ruleset or a limit of the repository forbids this operation."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_messages_name_what_keeps_a_token_out() {
        for (message, barrier) in [
            (
                "Resource not accessible by integration",
                Barrier::Permission,
            ),
            ("Must have admin rights to Repository.", Barrier::Permission),
            (
                "Repository was archived so is read-only.",
                Barrier::Archived,
            ),
            (
                "Although you appear to have the correct authorization credentials, the `octo` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.",
                Barrier::Address,
            ),
            (
                "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.",
                Barrier::SingleSignOn,
            ),
            (
                "GitHub Actions is not permitted to create or approve pull requests.",
                Barrier::PullRequestsOff,
            ),
        ] {
            assert_eq!(Barrier::of(message), barrier, "{message}");
        }
    }

    #[test]
    fn githubs_messages_name_why_a_request_is_refused() {
        for (status, message, objection) in [
            (
                422,
                "Validation Failed: tag_name already_exists",
                Objection::Exists,
            ),
            (422, "Reference already exists", Objection::Exists),
            (
                422,
                "Validation Failed: A pull request already exists for octo:fix/pre_receive.",
                Objection::Exists,
            ),
            (
                422,
                "Validation Failed: A pull request already exists for octo:next.",
                Objection::Exists,
            ),
            (
                422,
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the octo/hello repository.",
                Objection::Reviewer,
            ),
            (
                422,
                "Review cannot be requested from pull request author.",
                Objection::Reviewer,
            ),
            (409, "Git Repository is empty.", Objection::EmptyRepository),
            (410, "Artifact has expired", Objection::Expired),
            (
                415,
                "Unsupported 'Accept' header: 'application/octet-stream'. Must accept 'application/json'.",
                Objection::Form,
            ),
            (400, "Bad Content-Length: ", Objection::Form),
            (
                410,
                "The REST API version \"2022-11-28\" is not supported",
                Objection::Form,
            ),
            (
                422,
                "Validation Failed: pre_receive Repository rule violations found Cannot create ref due to creations being restricted",
                Objection::Rules,
            ),
            (422, "Reference update failed", Objection::Rules),
            (
                422,
                "Validation Failed: body is too long",
                Objection::Unnamed,
            ),
        ] {
            assert_eq!(Objection::of(status, message), objection, "{message}");
        }
    }
}
