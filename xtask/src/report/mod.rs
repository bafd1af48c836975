//! `report.html`: one self-contained page with the figures of a run. Everything on it was measured by a tool and lies
//! beside it as JSON; nothing is computed here.

mod chart;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use chart::{Bar, Series, bars, escape, lines, matrix};

/// Writes the page into the folder that the run left.
pub fn write(out: &Path, metrics: &Value) -> Result<()> {
    let page = Page { out };
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>NanoLogic · THAU</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style><main>{}</main></html>",
        page.body(metrics)?
    );
    fs::write(out.join("report.html"), html).context("report.html cannot be written")
}

const STYLE: &str = "\
    body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;margin:0}\
    main{max-width:46rem;margin:0 auto;padding:2rem 1rem}\
    h1{font-size:1.7rem;margin:0}h2{margin:2.5rem 0 .5rem;font-size:1.2rem}h3{font-size:1rem;margin:1.5rem 0 .3rem}\
    svg{width:100%;height:auto;font:13px system-ui,sans-serif}svg text{fill:#333}\
    .grid{stroke:#e3e3e3}.interval{stroke:#111;stroke-width:2}\
    table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #e3e3e3;vertical-align:top}\
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem;margin:1.2rem 0}\
    .figures div{border:1px solid #ddd;border-radius:6px;padding:.6rem .8rem}.figures b{display:block;font-size:1.4rem}\
    code{background:#f3f3f3;padding:0 .25rem;border-radius:3px;white-space:nowrap}.quiet{color:#666}";

struct Page<'a> {
    out: &'a Path,
}

impl Page<'_> {
    fn body(&self, metrics: &Value) -> Result<String> {
        let mut html = String::from(
            "<h1>NanoLogic · THAU</h1><p class=\"quiet\">A small language model that reads Spanish as logic: trained, \
             measured, grown, taught by its own mistakes and exported on this machine.</p>",
        );
        html += &figures(metrics);
        html += &self.learning()?;
        html += &self.accuracy()?;
        html += &self.sentences()?;
        html += &self.argument()?;
        html += &growth(metrics, &self.json("grown/growth.json")?);
        html += &self_learning(&metrics["self_learning"]);
        html += &self.llama_cpp()?;
        Ok(html)
    }

    fn json(&self, name: &str) -> Result<Value> {
        let text = fs::read_to_string(self.out.join(name)).with_context(|| format!("{name} is missing"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))
    }

    fn json_lines(&self, name: &str) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.out.join(name)).with_context(|| format!("{name} is missing"))?;
        text.lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("{name} is not JSON lines")))
            .collect()
    }

    fn learning(&self) -> Result<String> {
        let curve = |name: &str, folder: &str| -> Result<Series> {
            let log = self.json_lines(&format!("{folder}/log.jsonl"))?;
            let every = log.len().div_ceil(300).max(1);
            let mean = |chunk: &[Value]| {
                let losses: f64 = chunk.iter().map(|line| number(&line["loss"])).sum();
                (number(&chunk[chunk.len() - 1]["step"]), losses / chunk.len() as f64)
            };
            Ok(Series { name: name.to_owned(), points: log.chunks(every).map(mean).collect() })
        };
        let small = lines("step", "loss, nats a scored token", &[curve("small", "small")?]);
        let after = [curve("grown", "grown-trained")?, curve("control: the small one goes on", "control")?];
        Ok(format!(
            "<h2>Learning</h2>{small}<h3>After growing, for equally many FLOPs</h3>{}",
            lines("step", "loss, nats a scored token", &after)
        ))
    }

    fn accuracy(&self) -> Result<String> {
        let (test, gold) = (self.json("small-test.json")?, self.json("small-gold.json")?);
        let mut html = String::from(
            "<h2>Accuracy of the small model</h2><p>An answer counts when a truth table finds its formula equivalent to \
             the right one, atoms aligned by what they say. The black line is the 95 % interval.</p>",
        );
        let mut all = Vec::new();
        for (name, report) in [("unseen", &test), ("by hand", &gold)] {
            for (score, label) in [
                ("equivalent", "equivalent"),
                ("with_glossary", "… and right atoms"),
                ("exact", "same formula"),
            ] {
                all.push(bar(&format!("{name}: {label}"), &report["all"][score]));
            }
        }
        html += &bars(&all);
        for (title, group) in [
            ("By complexity", "complexity"),
            ("By connective", "connective"),
            ("By number of atoms", "atoms"),
        ] {
            let groups = test[group].as_object().into_iter().flatten();
            let bars_of: Vec<Bar> = groups.map(|(label, scores)| bar(label, &scores["equivalent"])).collect();
            let _ = write!(html, "<h3>{title}, unseen patterns</h3>{}", bars(&bars_of));
        }
        let labels: Vec<String> = ["∧", "∨", "→", "↔", "¬", "p"].map(str::to_owned).to_vec();
        let count = |gold: &String, answer: &String| test["confusion"][gold][answer].as_u64().unwrap_or(0);
        let counts: Vec<Vec<u64>> =
            labels.iter().map(|gold| labels.iter().map(|answer| count(gold, answer)).collect()).collect();
        let _ = write!(
            html,
            "<h3>Connectives taken for others, unseen patterns</h3>{}<p class=\"quiet\">p stands for an atom.</p>",
            matrix("said", "read as", &labels, &counts)
        );
        Ok(html)
    }

    fn sentences(&self) -> Result<String> {
        let mut html =
            String::from("<h2>Sentences it never saw</h2><table><tr><th>sentence<th>formula<th>atoms</tr>");
        for line in self.json_lines("sentences.jsonl")? {
            let _ = write!(
                html,
                "<tr><td>{}<td><code>{}</code><td>{}</tr>",
                text(&line["input"]),
                text(&line["formula"]),
                glossary(&line["atoms"])
            );
        }
        Ok(html + "</table>")
    }

    fn argument(&self) -> Result<String> {
        let argument = self.json("argument.json")?;
        let mut html = String::from("<h2>An argument, judged</h2><table>");
        let premises = argument["premises"].as_array().into_iter().flatten().map(|line| ("premise", line));
        for (role, line) in premises.chain([("conclusion", &argument["conclusion"])]) {
            let _ = write!(
                html,
                "<tr><td class=\"quiet\">{role}<td>{}<td><code>{}</code></tr>",
                text(&line["reading"]),
                text(&line["formula"])
            );
        }
        let _ = write!(
            html,
            "</table><p>{}</p><p><b>{}</b>{}</p><p>{}</p><p>{}</p>",
            glossary(&argument["atoms"]),
            text(&argument["verdict"]),
            argument["fallacy"]
                .as_str()
                .map_or(String::new(), |fallacy| format!(": <code>{}</code>", escape(fallacy))),
            text(&argument["explanation"]["es"]),
            text(&argument["explanation"]["en"]),
        );
        Ok(html)
    }

    fn llama_cpp(&self) -> Result<String> {
        let mut html = String::from(
            "<h2>The same model in llama.cpp</h2><table><tr><th>file<th>prompts<th>tokenized differently\
             <th>same next token<th>largest logit difference<th>same greedy text</tr>",
        );
        for file in self.json("comparison.json")?["files"].as_array().into_iter().flatten() {
            let _ = write!(
                html,
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{:.2e}<td>{}</tr>",
                text(&file["file"]),
                file["prompts"],
                file["gguf_token_mismatches"],
                percent(&file["gguf_top1_agreement"]),
                number(&file["max_logit_difference"]),
                percent(&file["greedy_text_agreement"]),
            );
        }
        Ok(html + "</table><p class=\"quiet\">Against our own forward of the same weights.</p>")
    }
}

fn figures(metrics: &Value) -> String {
    let figures = [
        ("parameters", thousands(&metrics["params"])),
        ("trained in", format!("{:.0} s", number(&metrics["train_seconds"]))),
        ("tokens a second", thousands(&metrics["train_tokens_per_second"])),
        ("right on unseen patterns", percent(&metrics["test_equivalence"])),
        ("right on sentences by hand", percent(&metrics["gold_equivalence"])),
        ("logits moved by growing", format!("{:.0e}", number(&metrics["growth_max_logit_delta"]))),
    ];
    let cells: String =
        figures.iter().map(|(label, value)| format!("<div><b>{value}</b>{label}</div>")).collect();
    format!("<div class=\"figures\">{cells}</div>")
}

fn growth(metrics: &Value, growth: &Value) -> String {
    format!(
        "<h2>Growing</h2><p>From {} to {} parameters, optimizer state included. Largest change of any logit in f32: \
         {:.1e}. After training both for equally many FLOPs: grown {} right on unseen patterns, the small control \
         {}.</p>",
        thousands(&growth["before"]["parameters"]),
        thousands(&growth["after"]["parameters"]),
        number(&metrics["growth_max_logit_delta"]),
        percent(&metrics["grown_test_equivalence"]),
        percent(&metrics["control_test_equivalence"]),
    )
}

fn self_learning(round: &Value) -> String {
    let points = |bound: &Value| format!("{:+.1}", 100.0 * number(bound));
    format!(
        "<h2>One round of self-learning</h2>{}<p>{} The gain lies between {} and {} points, as far as the gate can tell.</p>",
        bars(&[
            share_bar("before", &round["before"]),
            share_bar("after", &round["after"]),
            share_bar("control: replay only", &round["control"]),
        ]),
        if round["accepted"] == true {
            "Accepted by the gate."
        } else {
            "Refused by the gate: the model stays as it was."
        },
        points(&round["interval"][0]),
        points(&round["interval"][1]),
    )
}

fn bar(label: &str, proportion: &Value) -> Bar {
    let interval = &proportion["interval"];
    Bar {
        label: label.to_owned(),
        value: number(&proportion["share"]),
        interval: Some((number(&interval[0]), number(&interval[1]))),
        items: proportion["of"].as_u64(),
    }
}

fn share_bar(label: &str, share: &Value) -> Bar {
    Bar { label: label.to_owned(), value: number(share), interval: None, items: None }
}

fn glossary(atoms: &Value) -> String {
    let entries = atoms.as_object().into_iter().flatten();
    entries
        .map(|(letter, says)| format!("<b>{}</b> {}", escape(letter), text(says)))
        .collect::<Vec<_>>()
        .join(" · ")
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or("–"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn percent(share: &Value) -> String {
    format!("{:.1} %", 100.0 * number(share))
}

fn thousands(value: &Value) -> String {
    let digits = format!("{:.0}", number(value));
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|c| std::str::from_utf8(c).unwrap_or("")).collect();
    groups.join(" ")
}
