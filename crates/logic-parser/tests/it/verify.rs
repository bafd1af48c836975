//! The tool `verify`, as a user calls it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Cargo builds examples before integration tests, two folders away from them.
fn tool() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a path");
    folder.pop();
    folder.pop();
    folder.join("examples").join(format!("verify{}", std::env::consts::EXE_SUFFIX))
}

fn start(question: &str) -> Child {
    Command::new(tool())
        .args([question, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo test` has built the example")
}

fn ask(question: &str, lines: impl AsRef<[u8]>) -> (Vec<Value>, i32) {
    let mut child = start(question);
    child.stdin.take().expect("piped").write_all(lines.as_ref()).expect("it reads all");
    let output = child.wait_with_output().expect("it ends");
    let answers = String::from_utf8(output.stdout).expect("UTF-8");
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (answers, output.status.code().expect("no signal"))
}

#[test]
fn formulas_are_answered_in_order_and_a_bad_line_fails_at_the_end() {
    let lines: String = (0..5000).map(|index| format!("p{index} & q\n")).collect();
    let (answers, status) = ask("parse", &lines);
    assert_eq!((answers.len(), status), (5000, 0));
    assert!(answers.iter().enumerate().all(|(index, answer)| answer["formula"] == format!("p{index} ∧ q")));
    let (answers, status) = ask("parse", "p = q\np -> q");
    assert_eq!(status, 1);
    assert_eq!(answers[0]["error"]["kind"], "unknown_symbol");
    assert_eq!(answers[0]["error"]["span"], serde_json::json!([2, 3]));
    assert_eq!(answers[1], serde_json::json!({ "formula": "p → q", "atoms": ["p", "q"] }));
}

#[test]
fn a_line_is_answered_before_the_next_one_is_written() {
    let mut child = start("classify");
    let mut questions = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped")).lines();
    for (formula, class) in [("p ∨ ¬p", "tautology"), ("p", "contingent")] {
        writeln!(questions, "{formula}").expect("it reads");
        let answer = answers.next().expect("an answer").expect("UTF-8");
        assert_eq!(answer, format!(r#"{{"class":"{class}"}}"#));
    }
    drop(questions);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_line_that_is_no_text_spoils_no_other() {
    let (answers, status) = ask("classify", b"p \xE2\x88\xA7 q\np \xFF\n\np \xE2\x86\x92 p");
    assert_eq!((answers.len(), status), (4, 1));
    assert_eq!(answers[0]["class"], "contingent");
    assert_eq!(answers[1]["error"]["kind"], "not_utf8");
    assert_eq!(answers[1]["error"]["span"], serde_json::json!([2, 3]));
    assert_eq!(answers[2]["error"]["kind"], "empty");
    assert_eq!(answers[3]["class"], "tautology");
}

#[test]
fn classes_and_equivalences_are_words() {
    let (answers, _) = ask("classify", "p | ~p\np & ~p\np\n");
    let classes: Vec<&Value> = answers.iter().map(|answer| &answer["class"]).collect();
    assert_eq!(classes, ["tautology", "contradiction", "contingent"]);
    let (answers, status) = ask("equivalent", "p -> q\t~p | q\np\tq\np\n");
    assert_eq!((&answers[0]["equivalent"], &answers[1]["equivalent"]), (&true.into(), &false.into()));
    assert_eq!((&answers[2]["error"]["kind"], status), (&"expected_tab".into(), 1));
}

#[test]
fn an_argument_gets_verdict_name_countermodel_and_explanation() {
    let (answers, status) =
        ask("argument", "{\"premises\": [\"p → q\", \"q\"], \"conclusion\": \"p\"}\n{}\n");
    assert_eq!(answers[0]["verdict"], "invalid");
    assert_eq!(answers[0]["fallacy"], "affirming_the_consequent");
    assert_eq!(answers[0]["form"], Value::Null);
    assert_eq!(answers[0]["countermodel"], serde_json::json!({ "p": false, "q": true }));
    assert!(answers[0]["explanation"]["es"].as_str().is_some_and(|text| text.contains("no se sigue «p»")));
    assert_eq!((&answers[1]["error"]["kind"], status), (&"missing_key".into(), 1));
}

#[test]
fn a_table_has_a_column_for_each_atom_and_one_for_the_formula() {
    let (answers, _) = ask("table", "p & q\n");
    assert_eq!(answers[0]["columns"], serde_json::json!(["p", "q", "p ∧ q"]));
    assert_eq!(answers[0]["rows"][1], serde_json::json!([true, false, false]));
}
