//! What a test prepares of GitHub Actions, and what it reads back.
#![expect(
    clippy::must_use_candidate,
    reason = "what makes an artifact is called for what it does"
)]

use std::hash::{BuildHasher as _, RandomState};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::actions::{Artifact, Environment, Review, Run, Workflow};
use crate::record::DispatchRecord;
use crate::simulator::Simulator;
use crate::upload;
use crate::world::World;

/// Seconds that an artifact is kept: 90 days.
const KEPT: i64 = 90 * 86_400;

impl Simulator {
    /// A run in progress of the first workflow at the default branch's head. A second time for the same id is
    /// a re-run: the next attempt, triggered by whom it says.
    pub fn run(&self, id: u64, actor: &str, triggering_actor: &str) {
        self.world(|world| {
            let now = world.now();
            if let Some(run) = world.actions.runs.iter_mut().find(|run| run.id == id) {
                (run.attempt, run.started_at) = (run.attempt + 1, now);
                actor.clone_into(&mut run.actor);
                run.triggering_actors.push(triggering_actor.to_owned());
                return;
            }
            let branch = world.git.default_branch();
            let head = world
                .git
                .head(&branch)
                .expect("the default branch has a head");
            let workflow = world
                .actions
                .workflows
                .first()
                .expect("there is always a workflow");
            let run = Run {
                id,
                number: world.actions.runs.len() as u64 + 1,
                attempt: 1,
                workflow: workflow.file.clone(),
                status: "in_progress",
                event: "workflow_dispatch".into(),
                actor: actor.to_owned(),
                triggering_actors: vec![triggering_actor.to_owned()],
                fork: None,
                head_branch: branch,
                head_sha: head.to_string(),
                created_at: now,
                started_at: now,
            };
            world.actions.runs.push(run);
        });
    }

    /// A run that began with another event than `workflow_dispatch`, of which GitHub names the actor.
    pub fn run_on(&self, event: &str, id: u64, actor: &str) {
        self.run(id, actor, actor);
        self.world(|world| {
            if let Some(run) = world.actions.runs.iter_mut().find(|run| run.id == id) {
                event.clone_into(&mut run.event);
            }
        });
    }

    /// A run for a pull request of a fork with this number and full name: it is listed among the repository's own.
    pub fn run_of_fork(&self, id: u64, actor: &str, fork: (u64, &str)) {
        self.run_on("pull_request", id, actor);
        self.world(|world| {
            if let Some(run) = world.actions.runs.iter_mut().find(|run| run.id == id) {
                run.fork = Some((fork.0, fork.1.to_owned()));
            }
        });
    }

    /// Somebody's review of a run for an environment: `approved`, `rejected` or `pending`.
    pub fn review(&self, run: u64, reviewer: &str, environment: &str, state: &str, comment: &str) {
        assert!(
            ["approved", "rejected", "pending"].contains(&state),
            "{state} is no state of a review"
        );
        self.world(|world| {
            assert_known(world, run);
            let now = world.now();
            let actions = &mut world.actions;
            if actions.environment(environment).is_none() {
                let id = actions.environments.len() as u64 + 1;
                actions.environments.push(Environment {
                    id,
                    name: environment.to_owned(),
                    created_at: now,
                });
            }
            actions.reviews.push(Review {
                run,
                reviewer: reviewer.to_owned(),
                environment: environment.to_owned(),
                state: state.to_owned(),
                comment: comment.to_owned(),
            });
        });
    }

    /// Adds an artifact, its archive as given, to a run; gives the artifact's id.
    pub fn artifact(&self, run: u64, name: &str, zip: &[u8]) -> u64 {
        self.world(|world| {
            assert_known(world, run);
            let id = world.actions.artifacts.len() as u64 + 1;
            let created_at = world.now();
            world.actions.artifacts.push(Artifact {
                id,
                run,
                name: name.to_owned(),
                zip: Bytes::copy_from_slice(zip),
                digest: upload::digest(Sha256::new_with_prefix(zip)),
                secret: format!(
                    "{:016x}{:016x}",
                    RandomState::new().hash_one(id),
                    RandomState::new().hash_one(id)
                ),
                created_at,
                expires_at: created_at + KEPT,
            });
            id
        })
    }

    /// Lets an artifact expire now; it stays in the list.
    pub fn expire_artifact(&self, id: u64) {
        self.world(|world| {
            let now = world.now();
            let artifact = world
                .actions
                .artifacts
                .iter_mut()
                .find(|artifact| artifact.id == id);
            artifact.expect("a known artifact").expires_at = now;
        });
    }

    /// Declares a workflow (its file's name below `.github/workflows`) that takes these inputs; a known one is
    /// declared anew. `release.yml`, without inputs, is there from the start.
    pub fn workflow(&self, file: &str, inputs: &[&str]) {
        let inputs: Vec<String> = inputs.iter().map(|&input| input.to_owned()).collect();
        self.world(|world| {
            let workflows = &mut world.actions.workflows;
            let id = workflows.len() as u64 + 1;
            match workflows.iter_mut().find(|workflow| workflow.file == file) {
                Some(workflow) => workflow.inputs = inputs,
                None => workflows.push(Workflow {
                    id,
                    file: file.to_owned(),
                    inputs,
                }),
            }
        });
    }

    /// Every workflow that was started through the API, oldest first.
    #[must_use]
    pub fn dispatches(&self) -> Vec<DispatchRecord> {
        self.world(|world| world.actions.dispatches.clone())
    }
}

fn assert_known(world: &World, run: u64) {
    assert!(world.actions.run(run).is_some(), "there is no run {run}");
}
