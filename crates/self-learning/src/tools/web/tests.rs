//! Against a server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::tools::{Call, Refusal, ToolRegistry};

/// A server by whose path an answer is chosen: its `host:port`, and the number of calls it got.
fn server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                let mut stream = stream;
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while lines.read_line(&mut head).unwrap() > 2 {}
                let head = head.to_lowercase();
                let length =
                    head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                lines.read_exact(&mut body).unwrap();
                let (status, extra, text) = match head.split(' ').nth(1).unwrap() {
                    "/page" => ("200 OK", "", "¡hola, niño!".to_owned()),
                    "/long" => ("200 OK", "", "a".repeat(200_000)),
                    "/elsewhere" => ("302 Found", "location: /page\r\n", String::new()),
                    "/slow" => {
                        thread::sleep(Duration::from_secs(5));
                        return;
                    }
                    "/vision/generate" => {
                        let asked: Value = serde_json::from_slice(&body).unwrap();
                        let path = format!("{}x{}.png", asked["width"], asked["height"]);
                        ("200 OK", "", json!({ "success": asked["prompt"] != "", "path": path }).to_string())
                    }
                    _ => ("404 Not Found", "", "no".to_owned()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{extra}connection: close\r\n\r\n",
                    text.len()
                );
                let _ = stream.write_all((head + &text).as_bytes());
            });
        }
    });
    (host, calls)
}

fn ask(host: &str, name: &str, arguments: Value) -> Result<Value, Refusal> {
    let mut tools = ToolRegistry::for_age(15, Duration::from_secs(2)).unwrap();
    tools.offer(HttpGet::from_hosts([host.to_owned()]));
    tools.offer(GenerateImage::at(&format!("http://{host}/vision/generate")));
    tools.allow(name).unwrap();
    let Value::Object(arguments) = arguments else { panic!("an object") };
    tools.run(&Call { name: name.to_owned(), arguments, id: None })
}

fn get(host: &str, url: &str) -> Result<Value, Refusal> {
    ask(host, "http_get", json!({ "url": url }))
}

fn web_error(result: Result<Value, Refusal>) -> WebError {
    match result {
        Err(Refusal::Failed(error)) => *error.downcast::<WebError>().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_named_host_is_asked_and_no_other() {
    let (host, calls) = server();
    assert_eq!(get(&host, &format!("http://{host}/page")).unwrap()["text"], "¡hola, niño!");
    let asked = calls.load(Ordering::SeqCst);
    for url in [
        "http://127.0.0.1/page".to_owned(),
        format!("http://localhost:{}/page", host.split(':').nth(1).unwrap()),
        format!("http://{host}@example.com/page"),
        format!("http://user@{host}/page"),
        format!("ftp://{host}/page"),
        "file:///etc/passwd".to_owned(),
        format!("//{host}/page"),
        String::new(),
    ] {
        let error = web_error(get(&host, &url));
        assert!(matches!(error, WebError::NotAllowed { .. } | WebError::Address { .. }), "{url}: {error}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), asked, "nothing was sent");
}

#[test]
fn redirections_errors_and_silence_are_no_pages() {
    let (host, calls) = server();
    assert!(matches!(web_error(get(&host, &format!("http://{host}/elsewhere"))), WebError::Status(302)));
    assert_eq!(calls.load(Ordering::SeqCst), 1, "the redirection was not followed");
    assert!(matches!(web_error(get(&host, &format!("http://{host}/nothing"))), WebError::Status(404)));
    let start = Instant::now();
    let late = get(&host, &format!("http://{host}/slow"));
    assert!(matches!(late, Err(Refusal::TimedOut(_) | Refusal::Failed(_))), "{late:?}");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_long_page_is_cut_off() {
    let (host, _) = server();
    let page = get(&host, &format!("http://{host}/long")).unwrap();
    assert_eq!(page["text"].as_str().unwrap().len() as u64, MAX_PAGE);
}

#[test]
fn a_picture_is_drawn_in_the_guides_form() {
    let (host, _) = server();
    let drawn = ask(&host, "generate_image", json!({ "prompt": "un gato espacial" })).unwrap();
    assert_eq!(drawn, json!({ "success": true, "path": "512x512.png" }));
    let huge = json!({ "prompt": "x", "width": 4_000_000_000u32, "height": 1 });
    assert_eq!(ask(&host, "generate_image", huge).unwrap()["path"], "2048x64.png");
    let wrong = ask(&host, "generate_image", json!({ "prompt": "x", "colour": "red" }));
    assert!(matches!(wrong, Err(Refusal::Arguments(_))));
}
