//! An attempt whose process is suspended between an answer of GitHub's and its next request.

use std::process::Command;

use countersign_sim::{Effect, Endpoint, Event, Fault, Hold};

use super::{Attempt, Report};

impl Attempt<'_> {
    /// Runs the attempt, and does something while the process is suspended: GitHub has sent its first
    /// answer of this kind, and the process has not read it.
    pub fn run_suspended_after(&self, endpoint: Endpoint, meanwhile: impl FnOnce()) -> Report {
        let sim = &self.stage.sim;
        let hold = Hold::default();
        let effect = Effect::Held(hold.clone());
        sim.plan(Fault::on(endpoint).then(effect));
        let seen = sim.events().len();
        let asked = |event: &Event| event.endpoint == endpoint;

        let (mut command, surfaces) = self.process();
        let child = command.spawn().unwrap();
        hold.reached();
        signal("-STOP", child.id());
        hold.release();
        let is_sent = |event: &Event| asked(event) && event.finished;
        sim.wait_until(|events| events[seen..].iter().any(is_sent));
        meanwhile();
        signal("-CONT", child.id());
        surfaces.report(&child.wait_with_output().unwrap())
    }
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}
