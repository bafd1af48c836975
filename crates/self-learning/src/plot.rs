//! The progress of a loop as a picture.

use std::fmt::Write;

use crate::PipelineState;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const MARGIN: f64 = 40.0;

impl PipelineState {
    /// Accuracy over the rounds as an SVG file: the candidates as a line, the accepted ones as dots, and the base's accuracy in
    /// the first round dashed.
    ///
    /// The rounds ask different questions, so that small ups and downs are the questions' and not the model's.
    pub fn plot(&self) -> String {
        let last = self.scores.last().map_or(1, |score| score.epoch).max(2) as f64;
        let x = |epoch: u64| MARGIN + (epoch as f64 - 1.0) / (last - 1.0) * (WIDTH - 2.0 * MARGIN);
        let y = |accuracy: f64| HEIGHT - MARGIN - accuracy.clamp(0.0, 1.0) * (HEIGHT - 2.0 * MARGIN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n"
        );
        for tenth in [0, 5, 10] {
            let (share, height) = (f64::from(tenth) / 10.0, y(f64::from(tenth) / 10.0));
            push(&mut svg, &format!("<text x=\"4\" y=\"{height:.1}\">{:.0} %</text>", 100.0 * share));
        }
        if let Some(first) = self.scores.first() {
            let (left, right, base) = (MARGIN, WIDTH - MARGIN, y(first.before));
            push(
                &mut svg,
                &format!(
                    "<line x1=\"{left}\" y1=\"{base:.1}\" x2=\"{right}\" y2=\"{base:.1}\" stroke=\"#c00\" \
                     stroke-dasharray=\"6 4\"/><text x=\"{left}\" y=\"{:.1}\">base</text>",
                    base - 4.0
                ),
            );
        }
        let points: Vec<String> =
            self.scores.iter().map(|score| format!("{:.1},{:.1}", x(score.epoch), y(score.after))).collect();
        push(&mut svg, &format!("<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\"/>", points.join(" ")));
        for score in &self.scores {
            let (x, fill) = (x(score.epoch), if score.upgraded { "#06c" } else { "white" });
            push(
                &mut svg,
                &format!(
                    "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"#06c\"/>",
                    y(score.after)
                ),
            );
            push(
                &mut svg,
                &format!(
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    HEIGHT - 12.0,
                    score.epoch
                ),
            );
        }
        svg + "</svg>\n"
    }
}

fn push(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EpochScore;

    #[test]
    fn every_round_is_a_dot_and_only_upgrades_are_filled() {
        let score = |epoch, after, upgraded| EpochScore { epoch, before: 0.65, after, upgraded };
        let state = PipelineState {
            current_epoch: 3,
            current_generator: 2,
            generators: vec![],
            scores: vec![score(1, 0.72, false), score(2, 0.78, true), score(3, 0.81, false)],
        };
        let svg = state.plot();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("r=\"4\" fill=\"#06c\"").count(), 1);
        assert_eq!(svg.matches("stroke-dasharray").count(), 1);
        let empty = PipelineState { scores: vec![], ..state };
        assert!(empty.plot().starts_with("<svg") && empty.plot().ends_with("</svg>\n"));
    }
}
