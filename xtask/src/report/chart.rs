//! Three charts as inline SVG: lines over steps, bars with intervals, a confusion matrix.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
/// About how wide a letter is.
const LETTER: f64 = 6.8;
const SERIES_COLOURS: [&str; 4] = ["#2563a8", "#c2571a", "#2f7d4f", "#8a4a9e"];

/// One line of a chart: its name and its points `(x, y)`, x ascending.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Lines over a common x axis, y from 0 to the largest value, the name of each line in a legend above.
pub fn lines(x_label: &str, y_label: &str, series: &[Series]) -> String {
    let (left, right, top, bottom, height) = (52.0, 16.0, 30.0, 40.0, 300.0);
    let points = || series.iter().flat_map(|line| &line.points);
    let x_end = round_up(points().map(|point| point.0).fold(1.0, f64::max));
    let y_end = round_up(points().map(|point| point.1).fold(0.1, f64::max));
    let x_at = |x: f64| left + x / x_end * (WIDTH - left - right);
    let y_at = |y: f64| height - bottom - y / y_end * (height - top - bottom);

    let mut svg = open(height, &format!("{y_label} over {x_label}"));
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let (x, y) = (x_at(share * x_end), y_at(share * y_end));
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{left}" y1="{y:.1}" x2="{}" y2="{y:.1}"/><text x="{}" y="{:.1}" text-anchor="end">{}</text><text x="{x:.1}" y="{}" text-anchor="middle">{}</text>"#,
            WIDTH - right,
            left - 6.0,
            y + 4.0,
            short(share * y_end),
            height - bottom + 18.0,
            short(share * x_end),
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" text-anchor="end">{x_label}</text><text x="{left}" y="{}">{y_label}</text>"#,
        WIDTH - right,
        height - 4.0,
        top - 14.0,
    );
    // Names stand from the right of the axis label on.
    let mut legend_x = left + 20.0 + LETTER * y_label.chars().count() as f64;
    for (line, colour) in series.iter().zip(SERIES_COLOURS.iter().cycle()) {
        let path: Vec<_> =
            line.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", x_at(x), y_at(y))).collect();
        let _ = write!(
            svg,
            r#"<polyline fill="none" stroke="{colour}" stroke-width="2" points="{}"/><rect x="{legend_x}" y="{}" width="14" height="4" fill="{colour}"/><text x="{}" y="{}">{}</text>"#,
            path.join(" "),
            top - 20.0,
            legend_x + 20.0,
            top - 14.0,
            escape(&line.name),
        );
        legend_x += 40.0 + LETTER * line.name.chars().count() as f64;
    }
    svg + "</svg>"
}

/// A labelled share between 0 and 1, with its interval and the number of items behind it.
pub struct Bar {
    pub label: String,
    pub value: f64,
    pub interval: Option<(f64, f64)>,
    pub items: Option<u64>,
}

/// Horizontal bars from 0 to 100 %, each with its figure and, as a thin line, its interval.
pub fn bars(bars: &[Bar]) -> String {
    let (left, right, row) = (240.0, 110.0, 24.0);
    let x_at = |share: f64| left + share.clamp(0.0, 1.0) * (WIDTH - left - right);
    let mut svg = open(row * bars.len() as f64 + 8.0, "accuracy bars");
    for (index, bar) in bars.iter().enumerate() {
        let y = 4.0 + row * index as f64;
        let items = bar.items.map_or(String::new(), |items| format!(" of {items}"));
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text><rect x="{left}" y="{}" width="{:.1}" height="{}" fill="{}"/><text x="{}" y="{}">{:.1} %{items}</text>"#,
            left - 8.0,
            y + 16.0,
            escape(&bar.label),
            y + 4.0,
            x_at(bar.value) - left,
            row - 8.0,
            SERIES_COLOURS[0],
            WIDTH - right + 8.0,
            y + 16.0,
            100.0 * bar.value,
        );
        if let Some((low, high)) = bar.interval {
            let middle = y + row / 2.0;
            let _ = write!(
                svg,
                r#"<line class="interval" x1="{:.1}" y1="{middle}" x2="{:.1}" y2="{middle}"/>"#,
                x_at(low),
                x_at(high)
            );
        }
    }
    svg + "</svg>"
}

/// Counts of (row said, column answered) as shaded cells.
pub fn matrix(row_title: &str, column_title: &str, labels: &[String], counts: &[Vec<u64>]) -> String {
    let (left, top, cell) = (150.0, 56.0, 56.0);
    let n = labels.len() as f64;
    let mut svg = open(top + cell * n + 8.0, "confusion matrix");
    let _ = write!(
        svg,
        r#"<text x="{}" y="16" text-anchor="middle">{column_title}</text><text x="8" y="{}">{row_title}</text>"#,
        left + cell * n / 2.0,
        top + cell * n / 2.0,
    );
    for (row, counts) in counts.iter().enumerate() {
        let total = counts.iter().sum::<u64>().max(1) as f64;
        let y = top + cell * row as f64;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text><text x="{}" y="{}" text-anchor="middle">{}</text>"#,
            left - 10.0,
            y + cell / 2.0 + 5.0,
            escape(&labels[row]),
            left + cell * (row as f64 + 0.5),
            top - 12.0,
            escape(&labels[row]),
        );
        for (column, &count) in counts.iter().enumerate() {
            let share = count as f64 / total;
            let ink = if share > 0.5 { "#fff" } else { "#222" };
            let x = left + cell * column as f64;
            let _ = write!(
                svg,
                r##"<rect x="{x}" y="{y}" width="{}" height="{}" fill="{}" fill-opacity="{share:.3}" stroke="#ccc"/><text x="{}" y="{}" text-anchor="middle" style="fill:{ink}">{count}</text>"##,
                cell - 2.0,
                cell - 2.0,
                SERIES_COLOURS[0],
                x + cell / 2.0,
                y + cell / 2.0 + 5.0,
            );
        }
    }
    svg + "</svg>"
}

/// Text made safe inside HTML and SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn open(height: f64, title: &str) -> String {
    format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img"><title>{}</title>"#, escape(title))
}

/// The next round number: 1, 2, 4, 5 or 8 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&round| round >= value)
        .unwrap_or(value)
}

fn short(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if value >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else if value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_on_round_numbers() {
        assert_eq!([round_up(0.1), round_up(6.3), round_up(1734.0)], [0.1, 8.0, 2000.0]);
    }

    #[test]
    fn names_cannot_break_the_page() {
        let svg =
            bars(&[Bar { label: "<b>&".into(), value: 2.0, interval: Some((0.1, 3.0)), items: Some(3) }]);
        assert!(svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>"));
    }
}
