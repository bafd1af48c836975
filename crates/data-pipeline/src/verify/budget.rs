//! A hard cap on what questions cost.

use super::{CallError, endpoint::Usage, question::Question};

/// What tokens cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// USD for a million tokens asked.
    pub input: f64,
    /// USD for a million tokens answered.
    pub output: f64,
}

impl Price {
    /// What so many tokens cost, in USD.
    pub fn of(&self, usage: Usage) -> f64 {
        (self.input * usage.input as f64 + self.output * usage.output as f64) / 1e6
    }
}

/// Money is reserved for the dearest that a question can be, before it is asked.
pub(super) struct Budget {
    price: Price,
    cap: f64,
    spent: f64,
    reserved: f64,
}

impl Budget {
    pub(super) fn new(price: Price, cap: f64) -> Budget {
        Budget { price, cap, spent: 0.0, reserved: 0.0 }
    }

    /// The most the question can cost, if that is still within the cap: no text has more tokens than bytes.
    pub(super) fn reserve(&mut self, question: &Question) -> Option<f64> {
        let most = self.price.of(Usage { input: question.body.len() as u64, output: question.max_tokens });
        let fits = self.spent + self.reserved + most <= self.cap;
        fits.then(|| self.reserved += most)?;
        Some(most)
    }

    /// Pays what was used. A call that broke off may have been paid for by the other side: then all of it.
    pub(super) fn settle(&mut self, reserved: f64, usage: Result<Option<Usage>, &CallError>) {
        self.reserved -= reserved;
        self.spent += match usage {
            Ok(Some(usage)) => self.price.of(usage),
            Ok(None) => reserved,
            Err(CallError::Status { .. }) => 0.0,
            Err(_) => reserved,
        };
    }

    pub(super) fn spent(&self) -> f64 {
        self.spent
    }
}
