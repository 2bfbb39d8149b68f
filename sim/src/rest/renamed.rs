//! A repository that is requested by a former name.

use serde_json::json;

use crate::answer::Answer;
use crate::call::Call;
use crate::simulator::Simulator;
use crate::site::Site;

/// Where the repository of the path is now, if it had that name once and the token may know it.
pub(crate) fn moved(site: &Site, call: &Call) -> Option<Answer> {
    let here = site.formerly(&call.place)?;
    if !call.grant.within(here).sees_repository() {
        return None;
    }

    let identity = &site.worlds[here].identity;
    let mut location = format!("{}/repositories/{}", identity.api_url, identity.id);
    if !call.rest.is_empty() {
        // Still encoded: decoded, a name could look like a path.
        let segments: Vec<&str> = call
            .path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let below = segments.len() - call.rest.len();
        location = format!("{location}/{}", segments[below..].join("/"));
    }
    if let Some((_, query)) = call.target.split_once('?') {
        location = format!("{location}?{query}");
    }
    Some(redirect(call, &location))
}

/// 301 for GET; 307 for what must keep its method and body.
pub(crate) fn redirect(call: &Call, location: &str) -> Answer {
    let status = if call.method == "GET" { 301 } else { 307 };
    let body = json!({
        "message": "Moved Permanently",
        "url": location,
        "documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
    });
    Answer::json(status, body).with("location", location)
}

impl Simulator {
    /// Renames the repository, or transfers it, to this `owner/name`. Its former name redirects
    /// from now on; [`repository`](Self::repository) of this handle still returns it.
    pub fn rename(&self, full_name: &str) {
        let (owner, name) = full_name
            .split_once('/')
            .expect("a repository is written owner/name");
        self.world(|world| {
            let identity = &mut world.identity;
            let owner = std::mem::replace(&mut identity.owner, owner.to_owned());
            let name = std::mem::replace(&mut identity.name, name.to_owned());
            identity.former_names.push((owner, name));
        });
    }
}
