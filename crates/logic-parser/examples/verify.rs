//! Answers questions about formulas and arguments, one JSON object for each line, in order.
//!
//! ```text
//! $ echo 'si p entonces q' | cargo run -q --release --example verify -- parse
//! {"atoms":["p","q"],"formula":"p → q"}
//! $ echo '{"premises": ["p -> q", "q"], "conclusion": "p"}' | cargo run -q --release --example verify -- argument
//! {"verdict":"invalid","form":null,"fallacy":"affirming_the_consequent","countermodel":{"p":false,"q":true}, …
//! ```
//!
//! A line that cannot be answered gets `{"error": {"kind", "span", "message"}}`, and the exit status is then 1.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, ScopedJoinHandle};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use logic_parser::{Answer, Argument, Class, Formula, ParseError, TruthTable, classify, equivalent};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(about = "Answers questions about formulas and arguments, one JSON object a line")]
struct Arguments {
    /// What to ask of each line.
    question: Question,
    /// Where the lines are; standard input if absent or `-`.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Question {
    /// A formula: what is it in canonical notation, and which atoms has it?
    Parse,
    /// A formula: tautology, contradiction or contingent?
    Classify,
    /// Two formulas with a tab between: are they equivalent?
    Equivalent,
    /// `{"premises": […], "conclusion": "…"}`: valid, or why not?
    Argument,
    /// A formula: its truth table, the last column its truth.
    Table,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { question, file } = Arguments::parse();
    let input: Box<dyn Read> = match file.filter(|path| path.as_os_str() != "-") {
        Some(path) => Box::new(File::open(&path).with_context(|| format!("cannot read {}", path.display()))?),
        None => Box::new(io::stdin()),
    };
    match answer_lines(question, input, &mut io::stdout()) {
        Ok(0) => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        Err(gone) if gone.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(other) => Err(other.into()),
    }
}

/// Answers every line as soon as it is complete: stretches of lines are answered on all cores while the next ones are
/// read, and written in order. Returns how many were bad.
fn answer_lines(question: Question, input: impl Read, output: &mut (impl Write + Send)) -> io::Result<usize> {
    const AT_ONCE: usize = 1 << 20;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (mut input, mut unfinished) = (BufReader::with_capacity(AT_ONCE, input), Vec::new());
    thread::scope(|scope| {
        let (in_order, workers) = mpsc::sync_channel(cores);
        let writer = scope.spawn(|| write_in_order(workers, output));
        'read: loop {
            let lines = Arc::new(read_lines(&mut input, &mut unfinished)?);
            if lines.is_empty() {
                break;
            }
            for stretch in stretches(&lines, cores) {
                let lines = Arc::clone(&lines);
                let worker = scope.spawn(move || answer_stretch(question, &lines[stretch]));
                if in_order.send(worker).is_err() {
                    break 'read;
                }
            }
        }
        drop(in_order);
        writer.join().expect("writing does not panic")
    })
}

/// The whole lines that have come, at the end of the input what is left, and then nothing.
fn read_lines(input: &mut impl BufRead, unfinished: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        let read = input.fill_buf()?;
        let length = read.len();
        let Some(last) = read.iter().rposition(|&byte| byte == b'\n') else {
            if length == 0 {
                return Ok(mem::take(unfinished));
            }
            unfinished.extend_from_slice(read);
            input.consume(length);
            continue;
        };
        let (end, rest) = read.split_at(last + 1);
        let mut lines = mem::replace(unfinished, rest.to_vec());
        lines.extend_from_slice(end);
        input.consume(length);
        return Ok(lines);
    }
}

/// Whole lines, cut into a stretch for each core.
fn stretches(lines: &[u8], cores: usize) -> Vec<Range<usize>> {
    let fair = lines.len() / cores + 1;
    let (mut stretches, mut start) = (Vec::new(), 0);
    while start < lines.len() {
        let least = (start + fair).min(lines.len());
        let line_end = lines[least - 1..].iter().position(|&byte| byte == b'\n');
        let end = line_end.map_or(lines.len(), |at| least + at);
        stretches.push(start..end);
        start = end;
    }
    stretches
}

/// The answers to some lines, and how many were bad.
type Answers = (String, usize);

fn write_in_order(
    workers: Receiver<ScopedJoinHandle<'_, Answers>>,
    output: &mut impl Write,
) -> io::Result<usize> {
    let mut bad = 0;
    for worker in workers {
        let (answers, errors) = worker.join().expect("the library does not panic");
        output.write_all(answers.as_bytes())?;
        output.flush()?;
        bad += errors;
    }
    Ok(bad)
}

fn answer_stretch(question: Question, lines: &[u8]) -> Answers {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    match simdutf8::basic::from_utf8(lines) {
        Ok(text) => answer_each(question, text.split('\n').map(Ok)),
        Err(_) => answer_each(question, lines.split(|&byte| byte == b'\n').map(text)),
    }
}

fn answer_each<'t>(question: Question, lines: impl Iterator<Item = Result<&'t str, Value>>) -> Answers {
    let (mut answers, mut errors) = (String::new(), 0);
    for line in lines {
        match line.and_then(|line| answer(question, line.strip_suffix('\r').unwrap_or(line))) {
            Ok(answer) => answers += &answer,
            Err(error) => {
                answers += &json!({ "error": error }).to_string();
                errors += 1;
            }
        }
        answers.push('\n');
    }
    (answers, errors)
}

fn text(line: &[u8]) -> Result<&str, Value> {
    std::str::from_utf8(line).map_err(|e| error("not_utf8", json!([e.valid_up_to(), line.len()]), &e))
}

/// An answer is JSON already; an error is what stands under `"error"`.
fn answer(question: Question, line: &str) -> Result<Cow<'static, str>, Value> {
    match question {
        Question::Parse => parse(line),
        Question::Classify => classify_line(line),
        Question::Equivalent => equivalent_pair(line),
        Question::Argument => judge(line),
        Question::Table => table(line),
    }
}

fn error(kind: &str, span: Value, message: &dyn ToString) -> Value {
    json!({ "kind": kind, "span": span, "message": message.to_string() })
}

fn formula(text: &str) -> Result<Formula, Value> {
    Formula::parse(text).map_err(|mistakes: ParseError| {
        let first = mistakes.first();
        error(first.kind.id(), json!([first.span.start, first.span.end]), first)
    })
}

fn parse(line: &str) -> Result<Cow<'static, str>, Value> {
    let formula = formula(line)?;
    Ok(json!({ "formula": formula.to_string(), "atoms": formula.atoms() }).to_string().into())
}

fn classify_line(line: &str) -> Result<Cow<'static, str>, Value> {
    Ok(match classify(&formula(line)?) {
        Class::Tautology => r#"{"class":"tautology"}"#.into(),
        Class::Contradiction => r#"{"class":"contradiction"}"#.into(),
        Class::Contingent => r#"{"class":"contingent"}"#.into(),
        Class::Unknown(why) => json!({ "class": "unknown", "reason": why.to_string() }).to_string().into(),
    })
}

fn equivalent_pair(line: &str) -> Result<Cow<'static, str>, Value> {
    let Some((left, right)) = line.split_once('\t') else {
        return Err(error(
            "expected_tab",
            json!([line.len(), line.len()]),
            &"expected two formulas with a tab between",
        ));
    };
    Ok(match equivalent(&formula(left)?, &formula(right)?) {
        Answer::Yes => r#"{"equivalent":true}"#.into(),
        Answer::No(apart) => json!({ "equivalent": false, "apart": apart }).to_string().into(),
        Answer::Unknown(why) => json!({ "equivalent": null, "reason": why.to_string() }).to_string().into(),
    })
}

fn judge(line: &str) -> Result<Cow<'static, str>, Value> {
    let record: Value =
        serde_json::from_str(line).map_err(|e| error("invalid_json", json!([e.column(), e.column()]), &e))?;
    let missing = |key: &str| error("missing_key", Value::Null, &format!("expected the key `{key}`"));
    let text = |value: &Value, key: &str| value.as_str().map(str::to_owned).ok_or_else(|| missing(key));
    let premises = record["premises"].as_array().ok_or_else(|| missing("premises"))?;
    let premises =
        premises.iter().map(|premise| formula(&text(premise, "premises")?)).collect::<Result<_, _>>()?;
    let conclusion = formula(&text(&record["conclusion"], "conclusion")?)?;
    let judgement = Argument { premises, conclusion }.judge();
    Ok(serde_json::to_string(&judgement).expect("a judgement is plain JSON").into())
}

fn table(line: &str) -> Result<Cow<'static, str>, Value> {
    const ATOMS: usize = 16;
    let formula = formula(line)?;
    if formula.atom_count() > ATOMS {
        let message = format!("{} atoms; a table is written for at most {ATOMS}", formula.atom_count());
        return Err(error("too_many_atoms", json!([0, line.len()]), &message));
    }
    let table = TruthTable::new(&formula);
    let columns: Vec<String> = table.header().iter().map(ToString::to_string).collect();
    Ok(json!({ "columns": columns, "rows": table.rows().collect::<Vec<_>>() }).to_string().into())
}
