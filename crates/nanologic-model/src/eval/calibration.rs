//! Whether a model that says it is 80 % sure is right four times in five.

use serde::{Deserialize, Serialize};

use super::Proportion;

/// Bins of equal width that confidences are sorted into.
const BINS: usize = 10;

/// Answers by how sure the model was of them.
///
/// ```
/// # use nanologic_model::eval::Calibration;
/// let sure_and_right_half_the_time = [(0.95, true), (0.95, false)];
/// let calibration = Calibration::new(sure_and_right_half_the_time);
/// assert!((calibration.expected_error() - 0.45).abs() < 1e-9);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// By confidence: from 0 to 0.1, from 0.1 to 0.2, and so on.
    pub bins: Vec<Bin>,
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many of them were right.
    pub right: Proportion,
    /// Their mean confidence, 0 without answers.
    pub confidence: f64,
}

impl Calibration {
    /// Sorts answers, each with its confidence from 0 to 1, and whether it was right.
    pub fn new(answers: impl IntoIterator<Item = (f64, bool)>) -> Calibration {
        let mut calibration = Calibration::default();
        for (confidence, right) in answers {
            calibration.add(confidence, right);
        }
        calibration
    }

    pub(super) fn add(&mut self, confidence: f64, right: bool) {
        self.bins.resize(BINS, Bin::default());
        let at = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut self.bins[at];
        let before = bin.right.of as f64;
        bin.confidence = (bin.confidence * before + confidence) / (before + 1.0);
        bin.right.add(right);
    }

    /// The expected calibration error (Naeini et al. 2015; Guo et al. 2017), 0 to 1: by how much confidence and share
    /// of right answers differ, averaged over all answers by their bins. 0 without answers.
    pub fn expected_error(&self) -> f64 {
        let answers: usize = self.bins.iter().map(|bin| bin.right.of).sum();
        let error = |bin: &Bin| bin.right.of as f64 * (bin.confidence - bin.right.share()).abs();
        self.bins.iter().map(error).sum::<f64>() / answers.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_right_as_often_as_it_says_has_no_error() {
        let answers = (0..10).map(|n| (0.7, n < 7)).chain((0..4).map(|n| (0.25, n < 1)));
        let calibration = Calibration::new(answers);
        assert!(calibration.expected_error() < 1e-12, "{calibration:?}");
        assert_eq!((calibration.bins[7].right.of, calibration.bins[2].right.of), (10, 4));
    }

    #[test]
    fn the_error_is_the_mean_distance_by_answers() {
        // Three answers of 0.95 all wrong, one of 0.05 right: (3 · 0.95 + 0.95) / 4.
        let calibration = Calibration::new([(0.95, false), (0.95, false), (0.95, false), (0.05, true)]);
        assert!((calibration.expected_error() - 0.95).abs() < 1e-12);
        assert_eq!(Calibration::default().expected_error(), 0.0);
        assert_eq!(Calibration::new([(1.0, true)]).bins[9].right.right, 1);
    }
}
