//! Looks at what an open claim left after its receipt's end, and records it; nothing else is done.

use countersign_core::ledger::{self, Settlement};

use super::Attempt;
use crate::{
    ledger_store::LedgerBranch,
    publisher,
    report::{Complaint, Ending, Phase},
};

impl Attempt<'_> {
    pub(super) async fn settle(&self, settlement: Settlement) -> Ending {
        self.recorder.log().line("countersign: the receipt has expired, and its operation was claimed without an outcome. This attempt looks at what was done and records it; it does nothing else.");
        let claim = settlement.claim();
        self.recorder
            .note(|record| record.ledger.claim = Some(claim));
        let settled = match publisher::settle(&settlement, &self.github).await {
            Ok(settled) => settled,
            Err(setback) => {
                let message = format!(
                    "the receipt has expired, so this attempt only looked at what was done with it: {}. {}",
                    setback.message, setback.remedy
                );
                return Ending::Unknown(Complaint::new(setback.code, message));
            }
        };

        let branch = LedgerBranch::new(&self.github, settlement.operation().clone());
        if let Err(ending) = self.enter(Phase::Recording) {
            return ending;
        }
        let mut outcome = settlement.conclude(settled);
        let effect = outcome.effect().clone();
        self.recorder
            .note(|record| record.github_response = Some(effect.response().clone()));
        let recorded = ledger::record(&mut outcome, &branch, self.clock).await;
        match self.ended(&effect, recorded) {
            Ending::Succeeded { result } => Ending::Succeeded {
                result: format!(
                    "{result} The receipt has expired by now: this attempt only looked, and recorded it."
                ),
            },
            ending => ending,
        }
    }
}
