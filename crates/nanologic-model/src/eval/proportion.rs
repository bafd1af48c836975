//! So many of so many, with what that says about the true share.

use serde::{Deserialize, Serialize, Serializer};

/// A count of successes. As JSON it also says its `share` and its `interval`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Proportion {
    /// Successes.
    pub right: usize,
    /// Trials.
    pub of: usize,
}

impl Proportion {
    pub(super) fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.of += 1;
    }

    /// The share of successes, 0 to 1; 0 without trials.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.of.max(1) as f64
    }

    /// Wilson's score interval of 95 %: the true shares that make this count unsurprising. `(0, 1)` without trials.
    ///
    /// ```
    /// # use nanologic_model::eval::Proportion;
    /// let (low, high) = Proportion { right: 9, of: 10 }.interval();
    /// assert!((low - 0.596).abs() < 1e-3 && (high - 0.982).abs() < 1e-3);
    /// ```
    pub fn interval(&self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (z, n, p) = (1.959964, self.of as f64, self.share());
        let centre = p + z * z / (2.0 * n);
        let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
    }
}

impl Serialize for Proportion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Figures {
            right: usize,
            of: usize,
            share: f64,
            interval: (f64, f64),
        }
        let Proportion { right, of } = *self;
        Figures { right, of, share: self.share(), interval: self.interval() }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_the_share_and_reads_back() {
        let nine = Proportion { right: 9, of: 10 };
        let json = serde_json::to_value(nine).expect("numbers");
        assert_eq!(json["share"], 0.9);
        assert!(json["interval"][0].as_f64().expect("a number") > 0.5);
        assert_eq!(serde_json::from_value::<Proportion>(json).expect("what was written"), nine);
    }
}
