//! Against a server on loopback that misbehaves on purpose.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use serde_json::json;

use super::*;

/// What the server does with one call.
#[derive(Clone)]
enum Deed {
    Say(&'static str),
    Status(u16, &'static str),
    CutOff,
    Nonsense,
    Sleep(Duration),
}

/// Serves the deeds in order, the last one for ever, and counts the calls.
fn server(deeds: Vec<Deed>) -> (Endpoint, &'static AtomicUsize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let calls: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let endpoint = Endpoint {
        pause: Duration::from_millis(1),
        timeout: Duration::from_secs(1),
        attempts: 3,
        ..Endpoint::new(&format!("http://{}/v1/", listener.local_addr().unwrap()), "test")
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let deed = deeds[calls.fetch_add(1, Ordering::SeqCst).min(deeds.len() - 1)].clone();
            std::thread::spawn(move || {
                read_request(&mut stream);
                let (status, extra, body) = match deed {
                    Deed::Say(content) => {
                        let message = json!({ "choices": [{ "message": { "role": "assistant", "content": content } }],
                            "usage": { "prompt_tokens": 100, "completion_tokens": 10 } });
                        (200, "", message.to_string())
                    }
                    Deed::Status(status, header) => (status, header, "no".to_owned()),
                    Deed::Nonsense => (200, "", "<html>hola</html>".to_owned()),
                    Deed::CutOff => {
                        let _ = stream
                            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\": [");
                        return;
                    }
                    Deed::Sleep(time) => {
                        std::thread::sleep(time);
                        return;
                    }
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n"
                );
                let _ = stream.write_all((head + &body).as_bytes());
            });
        }
    });
    (endpoint, calls)
}

/// Reads head and body, so that closing the connection does not reset it.
fn read_request(stream: &mut impl Read) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = stream.read(&mut chunk).unwrap_or(0);
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let head_end = text.find("\r\n\r\n");
        let length =
            text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if n == 0 || head_end.is_some_and(|end| bytes.len() >= end + 4 + length.unwrap_or(0)) {
            return;
        }
    }
}

fn rows(n: usize) -> Vec<Row> {
    let row = |i: usize| Row {
        input: format!("Si llueve, nieva {i} veces"),
        formula: "p → q".into(),
        atoms: [("p".into(), "llueve".into()), ("q".into(), "nieva".into())].into(),
        ..Row::default()
    };
    (0..n).map(row).collect()
}

fn verifier(endpoint: Endpoint) -> Verifier {
    Verifier { endpoint, threads: 1, price: Price { input: 1.0, output: 2.0 }, cap_usd: 1.0 }
}

fn run_one(deeds: Vec<Deed>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, _) = server(deeds);
    verifier(endpoint).run(&rows(1), folder.path().join("cache")).unwrap().outcomes.remove(0)
}

#[test]
fn logic_decides_what_an_opinion_means() {
    let one = |content| run_one(vec![Deed::Say(content)]);
    assert_eq!(one(r#"{"correct": true, "formula": "p → q"}"#), Outcome::Verified);
    assert_eq!(one(r#"Creo que no: {"correct": false, "formula": "¬p ∨ q"}"#), Outcome::Verified);
    let Outcome::Corrected { before, after } = one(r#"{"correct": false, "formula": "(q -> p)"}"#) else {
        panic!("not corrected")
    };
    assert_eq!((before.as_str(), after.formula.as_str()), ("p → q", "q → p"));
    assert_eq!(after.origin, Origin::IndependentModel);
    assert_eq!(one(r#"{"correct": false, "formula": "p → r"}"#), Outcome::Rejected);
    assert_eq!(one(r#"{"correct": false, "formula": null}"#), Outcome::Rejected);
    assert_eq!(one("Sí."), Outcome::NoAnswer { reply: "Sí.".into() });
}

#[test]
fn passing_trouble_is_waited_out() {
    let good = Deed::Say(r#"{"correct": true, "formula": "p → q"}"#);
    for trouble in [
        Deed::Status(429, "retry-after: 0\r\n"),
        Deed::Status(500, ""),
        Deed::CutOff,
        Deed::Nonsense,
        Deed::Sleep(Duration::from_secs(2)),
    ] {
        assert_eq!(run_one(vec![trouble.clone(), trouble, good.clone()]), Outcome::Verified);
    }
}

#[test]
fn retry_after_is_honoured() {
    let good = Deed::Say(r#"{"correct": true, "formula": "p → q"}"#);
    let start = Instant::now();
    assert_eq!(run_one(vec![Deed::Status(429, "retry-after: 1\r\n"), good]), Outcome::Verified);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn lasting_trouble_fails_the_row_and_a_refusal_the_run() {
    assert!(matches!(
        run_one(vec![Deed::Status(503, "")]),
        Outcome::Failed(CallError::Status { status: 503, .. })
    ));
    assert!(matches!(run_one(vec![Deed::CutOff]), Outcome::Failed(CallError::Broken { .. })));
    assert!(matches!(run_one(vec![Deed::Nonsense]), Outcome::Failed(CallError::NoCompletion { .. })));

    let folder = tempfile::tempdir().unwrap();
    let (endpoint, calls) = server(vec![Deed::Status(401, "")]);
    let refused = verifier(endpoint).run(&rows(9), folder.path().join("cache"));
    assert!(matches!(refused, Err(VerifyError::Refused(CallError::Status { status: 401, .. }))));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn nothing_is_asked_twice_even_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let (endpoint, calls) = server(vec![Deed::Say(r#"{"correct": true, "formula": "p → q"}"#)]);
    let verifier = Verifier { threads: 4, ..verifier(endpoint) };
    assert_eq!(verifier.run(&rows(6), &cache).unwrap().verified(), 6);
    // A crash cuts the last line short.
    let text = std::fs::read_to_string(&cache).unwrap();
    std::fs::write(&cache, &text[..text.len() - 5]).unwrap();
    let again = verifier.run(&rows(8), &cache).unwrap();
    assert_eq!(again.verified(), 8);
    assert_eq!(calls.load(Ordering::SeqCst), 6 + 3);
    assert_eq!(std::fs::read_to_string(&cache).unwrap().lines().count(), 8);
}

#[test]
fn the_cap_is_never_exceeded() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, calls) = server(vec![Deed::Say(r#"{"correct": true, "formula": "p → q"}"#)]);
    // A call uses 100 + 10 tokens, that is 0.00012 USD, but might use far more.
    let verifier = Verifier { cap_usd: 0.0035, threads: 3, ..verifier(endpoint) };
    let report = verifier.run(&rows(100), folder.path().join("cache")).unwrap();
    let asked = calls.load(Ordering::SeqCst);
    assert!(asked > 1 && asked < 100, "{asked}");
    assert_eq!(report.verified(), asked);
    assert!((report.spent_usd - asked as f64 * 0.00012).abs() < 1e-9);
    assert!(report.spent_usd <= 0.0035);
}

#[test]
fn calls_keep_their_distance() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, _) = server(vec![Deed::Say(r#"{"correct": true, "formula": "p → q"}"#)]);
    let endpoint = Endpoint { interval: Duration::from_millis(50), ..endpoint };
    let start = Instant::now();
    Verifier { threads: 4, ..verifier(endpoint) }.run(&rows(5), folder.path().join("cache")).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200));
}
