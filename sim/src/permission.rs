//! What a token may do, and what an endpoint asks for.

/// How far a token reaches into one kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing at all.
    None,
    /// Reading only.
    Read,
    /// Reading and writing.
    Write,
}

/// The permissions of one token, as a workflow's `permissions:` block names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Code, commits, refs, releases.
    pub contents: Access,
    /// Pull requests, their labels and reviewers.
    pub pull_requests: Access,
    /// Issues; write also lets labels be added to a pull request.
    pub issues: Access,
    /// Workflow runs, their reviews and artifacts; write also starts workflows.
    pub actions: Access,
    /// Repository settings; a workflow's own token never has it.
    pub administration: Access,
    /// May bring in other workflow files; a workflow's own token never has it.
    pub workflows: bool,
}

impl Permissions {
    /// `contents: write` and `pull-requests: write`: what the publisher's job is given.
    #[must_use]
    pub const fn write() -> Self {
        Self {
            contents: Access::Write,
            pull_requests: Access::Write,
            ..Self::none()
        }
    }

    /// `contents: read` and `pull-requests: read`.
    #[must_use]
    pub const fn read() -> Self {
        Self {
            contents: Access::Read,
            pull_requests: Access::Read,
            ..Self::none()
        }
    }

    /// A valid token that cannot see the repository.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            contents: Access::None,
            pull_requests: Access::None,
            issues: Access::None,
            actions: Access::None,
            administration: Access::None,
            workflows: false,
        }
    }

    /// A token without any access does not even learn that the repository exists.
    pub(crate) fn sees_repository(self) -> bool {
        self != Self::none()
    }

    pub(crate) fn grants(self, need: Need) -> bool {
        let Need(resource, access) = need;
        match resource {
            Resource::Metadata => self.sees_repository(),
            Resource::Contents => self.contents >= access,
            Resource::PullRequests => self.pull_requests >= access,
            Resource::Issues => self.issues >= access || self.pull_requests >= access,
            Resource::Actions => self.actions >= access,
            Resource::Administration => self.administration >= access,
        }
    }
}

/// What a token was minted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    permissions: Permissions,
    /// The repository whose budget the token spends.
    pub(crate) home: usize,
    everywhere: bool,
    /// A user's token rather than a job's.
    person: bool,
}

impl Grant {
    /// For one repository, as a job's token is.
    pub(crate) const fn of(permissions: Permissions, home: usize) -> Self {
        Self {
            permissions,
            home,
            everywhere: false,
            person: false,
        }
    }

    /// For one repository, on behalf of a user.
    pub(crate) const fn person(permissions: Permissions, home: usize) -> Self {
        Self {
            person: true,
            ..Self::of(permissions, home)
        }
    }

    /// For every repository, also one that is added later.
    pub(crate) const fn everywhere(permissions: Permissions, home: usize) -> Self {
        Self {
            permissions,
            home,
            everywhere: true,
            person: false,
        }
    }

    /// Whoever comes without a token.
    pub(crate) const fn nothing() -> Self {
        Self::of(Permissions::none(), 0)
    }

    /// Whether a user is behind the token: GitHub signs commits only for bots.
    pub(crate) const fn is_person(self) -> bool {
        self.person
    }

    /// What the token may do in a repository.
    pub(crate) fn within(self, repository: usize) -> Permissions {
        if self.everywhere || self.home == repository {
            self.permissions
        } else {
            Permissions::none()
        }
    }
}

/// The kinds of resources that this simulator guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Metadata,
    Contents,
    PullRequests,
    Issues,
    Actions,
    Administration,
}

/// One requirement: this resource, at least this access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need(pub(crate) Resource, pub(crate) Access);

impl Need {
    /// The value of `x-accepted-github-permissions`.
    pub(crate) fn header(self) -> String {
        let access = if self.1 == Access::Write {
            "write"
        } else {
            "read"
        };
        match self.0 {
            Resource::Metadata => "metadata=read".to_owned(),
            Resource::Contents => format!("contents={access}"),
            Resource::PullRequests => format!("pull_requests={access}"),
            Resource::Issues => format!("issues={access}; pull_requests={access}"),
            Resource::Actions => format!("actions={access}"),
            Resource::Administration => format!("administration={access}"),
        }
    }
}
