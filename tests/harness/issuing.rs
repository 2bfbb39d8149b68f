//! Trust files, policies and further approvers, as the issuing side has them.

use std::fs;

use countersign_core::{
    authority::{Authority, Pin},
    document::Document as _,
    keys::PublicKey,
    policy::Policy,
    trust::{TrustFile, TrustVersion},
};
use ed25519_dalek::SigningKey;

use super::{Attempt, Stage, now, schema};

impl Stage {
    /// A version of a trust file as people write it: the approver, with one more member, and a keeper who signs versions.
    pub fn trust_version(&self, version: u64, member: &str) -> String {
        let line = |key: &SigningKey| PublicKey::new(key.verifying_key()).unwrap().to_openssh();
        format!(
            "version = {version}\nthreshold = 1\n\n[[key]]\nname = \"alice@example.org\"\nkey = \"{}\"\n{member}\n\n[[key]]\nname = \"keeper\"\nkey = \"{}\"\n",
            line(&self.key),
            line(&self.keeper)
        )
    }

    /// Writes a trust file of these versions, each signed by the keeper; the last fixes a policy, or not. Gives its name and its root.
    pub fn trust_file(&self, versions: &[String], policy: Option<Pin>) -> (String, String) {
        let mut file: Option<TrustFile> = None;
        for (index, text) in versions.iter().enumerate() {
            schema::fits_toml("trust-version-toml", text);
            let previous = file
                .as_ref()
                .map(|file| file.verify(None, now()).unwrap().pin().digest);
            let version = TrustVersion::from_toml(
                text,
                previous,
                now(),
                policy.filter(|_| index + 1 == versions.len()),
            )
            .unwrap();
            match &mut file {
                Some(file) => file.add(&version),
                None => file = Some(TrustFile::begin(&version)),
            }
            file.as_mut().unwrap().sign(&self.keeper).unwrap();
        }
        let file = file.unwrap();
        self.keep_trust_file(&file);
        ("trust.json".into(), file.root().unwrap().to_string())
    }

    /// Adds a version to the trust file, signed by the keeper, which revokes the approver's key since a moment.
    pub fn revoke(&self, since: &str) {
        let path = self.workspace().join("trust.json");
        let mut file = TrustFile::from_document(&fs::read(&path).unwrap()).unwrap();
        let newest = file.verify(None, now()).unwrap().pin();
        let text = self.trust_version(newest.version + 1, &format!("revoked_at = \"{since}\""));
        file.add(&TrustVersion::from_toml(&text, Some(newest.digest), now(), None).unwrap());
        file.sign(&self.keeper).unwrap();
        fs::write(path, file.to_document()).unwrap();
    }

    /// A trust file whose second version is signed by the approver's key alone, dated to a time when that key still counted.
    pub fn backdated_trust_file(&self, member: &str) -> (String, String) {
        let then = "2025-12-31T00:00:00Z".parse().unwrap();
        let first =
            TrustVersion::from_toml(&self.trust_version(1, member), None, then, None).unwrap();
        let mut file = TrustFile::begin(&first);
        file.sign(&self.key).unwrap();
        let previous = file.root();
        let next =
            TrustVersion::from_toml(&self.trust_version(2, ""), previous, then, None).unwrap();
        file.add(&next);
        file.sign(&self.key).unwrap();
        self.keep_trust_file(&file);
        ("trust.json".into(), file.root().unwrap().to_string())
    }

    /// A trust file whose threshold is both keys, signed by both.
    pub fn trust_file_of_two(&self) -> String {
        let text = self
            .trust_version(1, "")
            .replace("threshold = 1", "threshold = 2");
        let mut file =
            TrustFile::begin(&TrustVersion::from_toml(&text, None, now(), None).unwrap());
        file.sign(&self.keeper).unwrap();
        file.sign(&self.key).unwrap();
        self.keep_trust_file(&file);
        "workspace/trust.json".into()
    }

    fn keep_trust_file(&self, file: &TrustFile) {
        schema::fits_trust_file(&file.to_document());
        fs::write(self.workspace().join("trust.json"), file.to_document()).unwrap();
    }

    /// Writes a policy; gives its name.
    pub fn policy(&self, text: &str) -> String {
        if Policy::parse(text).is_ok() {
            schema::fits_toml("policy", text);
        }
        fs::write(self.workspace().join("policy.toml"), text).unwrap();
        "policy.toml".into()
    }

    /// A policy that lets the approver approve tags `v*`.
    pub fn policy_for_tags(&self) -> String {
        format!(
            "version = 1\n\n[[rule]]\nname = \"tags\"\noperation = \"tag_repo\"\nrepository = \"{}\"\nrepository_id = {}\ntag = \"v*\"\n\
             approvers = [\"alice@example.org\"]\nthreshold = 1\nlongest_lifetime = \"1h\"\nexclude_requester = false\n",
            self.sim.repository(),
            self.sim.repository_id()
        )
    }

    /// An attempt for a campaign, with a receipt for each of its operations.
    pub fn approved_campaign(&self, text: &str) -> Attempt<'_> {
        self.file("campaign.toml", text);
        let planned = Attempt::new(self)
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .run();
        assert_eq!(planned.exit, 0, "{}", planned.log);

        fs::copy(planned.plan(), self.workspace().join("plan.json")).unwrap();
        Attempt::new(self)
            .input("plan", "plan.json")
            .input("receipt", &self.sign_all(&planned.plan()))
    }

    /// Lets the ledger remember what decided before.
    pub fn remember(&self, authority: &Authority) {
        self.sim.commit(
            "receipt-ledger",
            &[("authority.json", &authority.to_document())],
        );
    }
}
