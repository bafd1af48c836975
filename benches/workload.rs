//! What a file of formulas costs: text in, verdict out, CPU time of one core.
//!
//! ```text
//! $ cargo run --release -p benches --example workload -- parse FOLDER [SECONDS]
//! logic-parser,parse,100000,100000,0.1203,1.203,0,
//! ```
//! The answer is `name,task,done,of,seconds,microseconds each,wrong,note`, one line a task, so that other provers can
//! print theirs beside it. A task stops after so many seconds, 10 unless said. What the folder holds, one a line:
//!
//! | task | file | line |
//! |---|---|---|
//! | `parse` | `a_parse.txt` | a formula |
//! | `classify` | `b_classify.txt` | `T`, `C` or `N` (tautology, contradiction, neither), tab, formula |
//! | `equiv` | `c_equiv.txt` | `1` or `0`, tab, formula, tab, formula |
//! | `ted` | `c_equiv.txt` | the tree edit distance of each pair, and the total |
//! | `table INDEX` | `d_table.txt` | atoms, tab, connectives, tab, true rows, tab, formula: every row is computed |
//! | `hard INDEX` | `e_hard.txt` | name, tab, `1` valid, `0` invalid or `?`, tab, formula |
//! | `hostile NAME` | `NAME` | one text, perhaps no formula |

use std::hint::black_box;
use std::{env, fs, process};

use cpu_time::ProcessTime;
use logic_parser::score::tree_edit_distance;
use logic_parser::{Budget, Class, Formula, classify, count_models, equivalent};

const USAGE: &str = "workload parse|classify|equiv|ted|table|hard|hostile FOLDER [SECONDS|INDEX|NAME]";

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let Some([task, folder]) = words.first_chunk() else {
        eprintln!("{USAGE}");
        process::exit(2);
    };
    let argument = words.get(2).map(String::as_str);
    let seconds = || argument.map_or(10.0, |text| text.parse().expect("so many seconds"));
    let read = |name: &str| {
        let path = format!("{folder}/{name}");
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let line = |text: &str| {
        let index: usize = argument.expect(USAGE).parse().expect("an index");
        text.lines().nth(index).expect("so many lines").to_owned()
    };
    match task.as_str() {
        "parse" => {
            each(task, seconds(), &rows::<1>(&read("a_parse.txt")), |[text]| Formula::parse(text).is_ok())
        }
        "classify" => each(task, seconds(), &rows(&read("b_classify.txt")), |[class, text]| {
            Formula::parse(text).is_ok_and(|formula| letter(classify(&formula)) == *class)
        }),
        "equiv" => each(task, seconds(), &rows(&read("c_equiv.txt")), |[same, left, right]| {
            let pair = (Formula::parse(left), Formula::parse(right));
            matches!(pair, (Ok(left), Ok(right)) if equivalent(&left, &right).is_yes() == (*same == "1"))
        }),
        "ted" => {
            let text = read("c_equiv.txt");
            let parse = |text: &str| Formula::parse(text).expect("well-formed");
            let pairs: Vec<_> =
                rows(&text).iter().map(|[_, left, right]| (parse(left), parse(right))).collect();
            let mut total = 0;
            each(task, seconds(), &pairs, |(left, right)| {
                let distance = tree_edit_distance(left, right);
                total += distance.unwrap_or_default();
                distance.is_some()
            });
            println!("logic-parser,ted-total,{total},,,,,");
        }
        "table" => table(&line(&read("d_table.txt"))),
        "hard" => hard(&line(&read("e_hard.txt"))),
        "hostile" => hostile(argument.expect(USAGE), &read(argument.expect(USAGE))),
        _ => {
            eprintln!("{USAGE}");
            process::exit(2);
        }
    }
}

/// The lines as so many fields each.
fn rows<const N: usize>(text: &str) -> Vec<[&str; N]> {
    let fields = |line| {
        let fields: Vec<&str> = str::split(line, '\t').collect();
        fields.try_into().unwrap_or_else(|_| panic!("{N} fields: {line}"))
    };
    text.lines().map(fields).collect()
}

/// Asks for each item until the time is up; an answer says whether it was right.
fn each<T>(task: &str, seconds: f64, items: &[T], mut is_right: impl FnMut(&T) -> bool) {
    const LOOK_UP_EVERY: usize = 16;
    let start = ProcessTime::now();
    let (mut done, mut wrong) = (0, 0);
    for item in items {
        if done % LOOK_UP_EVERY == 0 && start.elapsed().as_secs_f64() > seconds {
            break;
        }
        wrong += usize::from(!is_right(item));
        done += 1;
    }
    let spent = start.elapsed().as_secs_f64();
    println!(
        "logic-parser,{task},{done},{},{spent:.4},{:.3},{wrong},",
        items.len(),
        spent * 1e6 / done as f64
    );
}

fn letter(class: Class) -> &'static str {
    match class {
        Class::Tautology => "T",
        Class::Contradiction => "C",
        Class::Contingent => "N",
        Class::Unknown(_) => "?",
    }
}

/// Every row of a table, however many. A table takes a moment, so the quickest of several is told.
fn table(line: &str) {
    const TIMES: usize = 20;
    let [[atoms, _, true_rows, text]] = rows(line)[..] else { panic!("{line}") };
    let every_row = Budget { table_steps: u64::MAX, ..Budget::default() };
    let (mut quickest, mut wrong) = (f64::INFINITY, 0);
    for _ in 0..TIMES {
        let start = ProcessTime::now();
        let formula = Formula::parse(text).expect("well-formed");
        let count = count_models(&formula, &every_row).expect("at most 30 atoms");
        quickest = quickest.min(start.elapsed().as_secs_f64());
        wrong = usize::from(count.to_string() != true_rows);
    }
    println!("logic-parser,table{atoms},1,1,{quickest:.4},{:.1},{wrong},best of {TIMES}", quickest * 1e6);
}

/// Is it valid?
fn hard(line: &str) {
    let [[name, expected, text]] = rows(line)[..] else { panic!("{line}") };
    let start = ProcessTime::now();
    let formula = Formula::parse(text).expect("well-formed");
    let answer = equivalent(&formula, &Formula::top());
    let spent = start.elapsed().as_secs_f64();
    let (verdict, known) = match answer {
        _ if answer.is_yes() => ("valid", "1"),
        _ if answer.is_no() => ("invalid", "0"),
        _ => ("gave up", "?"),
    };
    let wrong = usize::from(expected != "?" && expected != known);
    println!("logic-parser,{name},1,1,{spent:.4},{:.1},{wrong},{verdict}", spent * 1e6);
}

/// Reads and drops whatever the text is.
fn hostile(name: &str, text: &str) {
    let start = ProcessTime::now();
    let said = match Formula::parse(text.trim_end()) {
        Ok(formula) => format!("ok {} nodes", black_box(&formula).nodes().len()),
        Err(error) => format!("error: {}", error.first()).replace(['\n', ','], " "),
    };
    println!("logic-parser,hostile {name},1,1,{:.4},,,{said}", start.elapsed().as_secs_f64());
}
