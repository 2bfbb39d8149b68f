//! Pull requests, their labels and their reviewers.

use serde_json::{Value, json};

use super::{emoji, fields, render};
use crate::answer::{self, Answer, Served};
use crate::call::Call;
use crate::record::PullRecord;
use crate::switch::Switch;
use crate::world::World;

/// Characters of a description, as the error text says.
const LONGEST_BODY: usize = 65_536;

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    if !world.settings.actions_may_open_pulls && !call.grant.is_person() {
        let message = "GitHub Actions is not permitted to create or approve pull requests.";
        return Err(Answer::error(403, message));
    }
    let title = fields::required(&body, "PullRequest", "title")?;
    let head = branch(
        world,
        &fields::required(&body, "PullRequest", "head")?,
        "head",
    )?;
    let base = branch(
        world,
        &fields::required(&body, "PullRequest", "base")?,
        "base",
    )?;
    let text = fields::text(&body, "body")?;
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > LONGEST_BODY)
    {
        let message = format!("body is too long (maximum is {LONGEST_BODY} characters)");
        return Err(Answer::custom("PullRequest", "body", &message));
    }
    let draft = fields::flag(&body, "draft")?.unwrap_or(false);
    if draft && world.is_on(Switch::FreePrivatePlan) {
        let message = "Draft pull requests are not supported in this repository.";
        return Err(Answer::error(422, message));
    }
    mergeable(world, &head, &base)?;
    let heads = world.heads_of([&head, &base]);
    let pull = PullRecord {
        number: world.pulls.len() as u64 + 1,
        author: render::login_behind(call.grant).to_owned(),
        title,
        body: text,
        head,
        base,
        heads,
        draft,
        state: "open".to_owned(),
        labels: Vec::new(),
        reviewers: Vec::new(),
        team_reviewers: Vec::new(),
        created_at: world.now(),
    };
    world.effect(format!("pull request {} created", pull.number));
    let answer = Answer::created(render::pull(world, &pull));
    world.pulls.push(pull);
    Ok(answer)
}

/// `branch` or `OWNER:branch`; it must exist here.
fn branch(world: &World, text: &str, field: &str) -> Result<String, Answer> {
    let name = match text.split_once(':') {
        None => text,
        Some((owner, name)) if owner.eq_ignore_ascii_case(&world.identity.owner) => name,
        Some(_) => "",
    };
    if name.is_empty() || world.git.head(name).is_none() {
        let error = answer::field("PullRequest", "invalid", field);
        return Err(Answer::invalid(vec![error]));
    }
    Ok(name.to_owned())
}

/// Refuses a second open pull request and one without anything to merge.
fn mergeable(world: &World, head: &str, base: &str) -> Result<(), Answer> {
    let refuse = |message: String| {
        Err(Answer::invalid(vec![json!({
            "resource": "PullRequest", "code": "custom", "message": message,
        })]))
    };
    let twin = |pull: &&PullRecord| pull.state == "open" && pull.head == head && pull.base == base;
    if world.pulls.iter().any(|pull| twin(&pull)) {
        let owner = &world.identity.owner;
        return refuse(format!("A pull request already exists for {owner}:{head}."));
    }
    let (Some(tip), Some(onto)) = (world.git.head(head), world.git.head(base)) else {
        return Err(Answer::not_found());
    };
    let repository = &world.git.repository;
    if repository.merge_base(tip, onto).is_err() {
        let message = format!("The {head} branch has no history in common with {base}");
        return refuse(message);
    }
    match repository.graph_ahead_behind(tip, onto) {
        Ok((0, _)) => refuse(format!("No commits between {base} and {head}")),
        _ => Ok(()),
    }
}

/// `state` (open unless told), `head=OWNER:BRANCH` and `base` narrow the list.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let state = call.parameter("state").unwrap_or("open");
    let head = call.parameter("head").and_then(|text| text.split_once(':'));
    let owned = head.is_none_or(|(owner, _)| owner.eq_ignore_ascii_case(&world.identity.owner));
    let items: Vec<Value> = world
        .pulls
        .iter()
        .rev()
        .filter(|pull| state == "all" || pull.state == state)
        .filter(|pull| owned && head.is_none_or(|(_, branch)| branch == pull.head))
        .filter(|pull| call.parameter("base").is_none_or(|base| base == pull.base))
        .map(|pull| render::pull(world, pull))
        .collect();
    Ok(render::page(world, call, &items))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let pull = world.pull(call.number(1)?).ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(render::pull(world, pull)))
}

/// Title, text and state; a base that is to change is not imitated.
pub(crate) fn update(world: &mut World, call: &Call) -> Served {
    let number = call.number(1)?;
    let body = call.object()?;
    let (title, text, state) = (
        fields::text(&body, "title")?,
        fields::text(&body, "body")?,
        fields::text(&body, "state")?,
    );
    let pull = world.pull_mut(number).ok_or_else(Answer::not_found)?;
    if state
        .as_ref()
        .is_some_and(|state| !["open", "closed"].contains(&state.as_str()))
    {
        return Err(Answer::invalid(vec![answer::field(
            "PullRequest",
            "invalid",
            "state",
        )]));
    }
    let verb = if state
        .as_ref()
        .is_some_and(|state| *state != pull.state && state == "closed")
    {
        "closed"
    } else {
        "updated"
    };
    pull.title = title.unwrap_or_else(|| pull.title.clone());
    pull.body = text.or_else(|| pull.body.clone());
    pull.state = state.unwrap_or_else(|| pull.state.clone());
    let pull = pull.clone();
    world.effect(format!("pull request {number} {verb}"));
    Ok(Answer::ok(render::pull(world, &pull)))
}

/// Unknown labels are created; a label of emoji alone makes GitHub refuse them all.
pub(crate) fn add_labels(world: &mut World, call: &Call) -> Served {
    let number = call.number(1)?;
    let added = fields::texts(&call.object()?, "labels")?;
    world.pull(number).ok_or_else(Answer::not_found)?;
    if added.iter().any(|name| emoji::is_emoji_alone(name)) {
        let message = "name must contain more than native emoji";
        return Err(Answer::custom("Label", "name", message));
    }
    let dropped = world.is_on(Switch::LabelsAreDropped);
    let pull = world.pull_mut(number).ok_or_else(Answer::not_found)?;
    for label in added.into_iter().filter(|_| !dropped) {
        if !pull
            .labels
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&label))
        {
            pull.labels.push(label);
        }
    }
    let names = pull.labels.clone();
    let labels: Vec<Value> = names
        .iter()
        .map(|name| render::label(&world.identity, name))
        .collect();
    world.effect(format!("labels added to pull request {number}"));
    Ok(Answer::ok(Value::Array(labels)))
}

/// All of them or none: one stranger refuses the whole request.
pub(crate) fn request_reviewers(world: &mut World, call: &Call) -> Served {
    let number = call.number(1)?;
    let author = world.pull(number).ok_or_else(Answer::not_found)?;
    let author = author.author.clone();
    let body = call.object()?;
    let reviewers = fields::texts(&body, "reviewers")?;
    let teams = fields::texts(&body, "team_reviewers")?;
    if reviewers.contains(&author) {
        let message = "Review cannot be requested from pull request author.";
        return Err(Answer::error(422, message));
    }
    let all_known =
        known(&world.settings.collaborators, &reviewers) && known(&world.settings.teams, &teams);
    if !all_known {
        let message = format!(
            "Reviews may only be requested from collaborators. One or more of the users or teams \
             you specified is not a collaborator of the {} repository.",
            world.identity.full_name()
        );
        return Err(Answer::error(422, message));
    }
    let dropped = world.is_on(Switch::ReviewersAreDropped);
    let pull = world.pull_mut(number).ok_or_else(Answer::not_found)?;
    if !dropped {
        merge(&mut pull.reviewers, reviewers);
        merge(&mut pull.team_reviewers, teams);
    }
    let pull = pull.clone();
    world.effect(format!("reviewers requested on pull request {number}"));
    Ok(Answer::created(render::pull(world, &pull)))
}

fn known(all: &[String], asked: &[String]) -> bool {
    asked
        .iter()
        .all(|name| all.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

fn merge(kept: &mut Vec<String>, added: Vec<String>) {
    for name in added {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
}
