//! Finding the gap: held-out questions, some of them asked many times.

use super::{Cycle, Event, Watch};
use crate::journal::Journal;
use crate::{
    Answered, Attempt, Diversity, FreeText, GapMap, Judge, Learner, Proposer, Result, Signal, Stratum, auroc,
};

/// What was found.
pub(super) struct Found {
    pub gaps: GapMap,
    pub weakest: Stratum,
    pub signal: Signal,
    pub diversity: Diversity,
}

impl<L: Learner, P: Proposer, J: Judge> Cycle<L, P, J> {
    pub(super) fn find_gap(
        &mut self,
        journal: &Journal,
        number: u64,
        watch: &mut Watch<'_>,
    ) -> Result<Found> {
        let seed = self.seed(number);
        let probes: Vec<Answered> = journal.once("probe", || {
            self.restore(&self.history.current())?;
            // The same in every round, so that rounds can be compared.
            let doubt = self.material.draw_probe(self.settings.doubt_probes, self.settings.seed);
            let mut rest = self.material.draw_probe(self.settings.probes, seed);
            rest.retain(|row| !doubt.contains(row));
            let drawn = self.drawn(self.settings.doubt_attempts, number);
            let mut probes = self.answer("doubt", &doubt, drawn.as_ref(), watch)?;
            probes.extend(self.answer("probe", &rest, None, watch)?);
            Ok(probes)
        })?;
        let gaps = GapMap::of(probes.iter().map(|probe| (&probe.question, probe.verdict.right)));
        let doubted: Vec<&Answered> = probes.iter().filter(|probe| !probe.attempts.is_empty()).collect();
        let found = Found {
            signal: signal(&doubted),
            diversity: Diversity::of(doubted.iter().map(|probe| probe.attempts.as_slice())),
            weakest: gaps.target().cloned().unwrap_or(Stratum::Atoms(0)),
            gaps,
        };
        watch(Event::Mapped { gaps: &found.gaps, weakest: &found.weakest, signal: &found.signal });
        Ok(found)
    }
}

/// How well doubt foretells failure: entropy, and beside it the documents' rules.
fn signal(doubted: &[&Answered]) -> Signal {
    let rules = FreeText::default();
    let doubts = |probe: &Answered| {
        let attempt = Attempt { text: probe.answer.clone(), confidence: probe.confidence };
        f64::from(!rules.judge(&probe.question, &attempt).right)
    };
    let failed = |probe: &Answered| !probe.verdict.right;
    Signal {
        entropy: auroc(&doubted.iter().map(|p| (p.entropy, failed(p))).collect::<Vec<_>>()),
        rules: auroc(&doubted.iter().map(|p| (doubts(p), failed(p))).collect::<Vec<_>>()),
        asked: doubted.len(),
        failed: doubted.iter().filter(|p| failed(p)).count(),
    }
}
