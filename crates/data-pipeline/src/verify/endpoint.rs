//! Calls to `chat/completions`, repeated politely.

use std::{
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

use serde::Deserialize;

/// The most bytes of a reply that are read.
const MAX_REPLY: u64 = 1 << 20;

/// An OpenAI-compatible server, such as llama.cpp's, vLLM's or a paid one.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address up to and without `/chat/completions`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// Sent as bearer token.
    pub api_key: Option<String>,
    /// How long one call may take.
    pub timeout: Duration,
    /// How often a question is asked at most; at least once.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from there. `Retry-After` lengthens it.
    pub pause: Duration,
    /// No pause is longer, whatever the server asks for.
    pub longest_pause: Duration,
    /// The least time between the beginnings of two calls, of all threads together.
    pub interval: Duration,
}

/// Why a call has no reply.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server answered with an error.
    #[error("status {status}: {body}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// No connection, no answer in time, or an answer cut off.
    #[error("the call broke off: {reason}")]
    Broken {
        /// What the HTTP library says.
        reason: String,
    },
    /// A whole answer that is no chat completion.
    #[error("the reply is no chat completion: {body}")]
    NoCompletion {
        /// Its beginning.
        body: String,
    },
}

impl CallError {
    /// Whether asking again, even about another row, is pointless.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, CallError::Status { status: 400..=499, .. }) && !self.may_pass()
    }

    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        !matches!(self, CallError::Status { status, .. } if !matches!(status, 408 | 429 | 500..=599))
    }
}

/// Tokens of one call.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Usage {
    /// Tokens asked.
    #[serde(rename = "prompt_tokens")]
    pub input: u64,
    /// Tokens answered.
    #[serde(rename = "completion_tokens")]
    pub output: u64,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The text of its first choice.
    pub text: String,
    /// What it counted, if it says.
    pub usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

impl Endpoint {
    /// An endpoint without key: 60 s a call, 5 attempts, pauses from half a second to a minute, no rate limit.
    pub fn new(base_url: &str, model: &str) -> Endpoint {
        Endpoint {
            base_url: base_url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
            api_key: None,
            timeout: Duration::from_secs(60),
            attempts: 5,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            interval: Duration::ZERO,
        }
    }

    fn call(&self, body: &str) -> Result<Reply, (CallError, Option<Duration>)> {
        let broken = |error: ureq::Error| (CallError::Broken { reason: error.to_string() }, None);
        let config =
            ureq::Agent::config_builder().timeout_global(Some(self.timeout)).http_status_as_error(false);
        let mut request = ureq::Agent::from(config.build())
            .post(format!("{}/chat/completions", self.base_url))
            .content_type("application/json");
        if let Some(key) = &self.api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(body).map_err(broken)?;
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let text = response.body_mut().with_config().limit(MAX_REPLY).read_to_string().map_err(broken)?;
        let beginning = || text.chars().take(200).collect();
        if status != 200 {
            return Err((
                CallError::Status { status, body: beginning() },
                retry_after.map(Duration::from_secs),
            ));
        }
        let no_completion = || (CallError::NoCompletion { body: beginning() }, None);
        let completion: Completion = serde_json::from_str(&text).map_err(|_| no_completion())?;
        let choice = completion.choices.into_iter().next().ok_or_else(no_completion)?;
        Ok(Reply { text: choice.message.content, usage: completion.usage })
    }
}

/// The one client: calls of several threads to one endpoint, which keep its distances together.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    /// When the next call may begin.
    next_call: Mutex<Option<Instant>>,
}

impl Client {
    /// Calls to this endpoint.
    pub fn to(endpoint: Endpoint) -> Client {
        Client { endpoint, next_call: Mutex::default() }
    }

    /// The model's name there, for the body of a request.
    pub fn model(&self) -> &str {
        &self.endpoint.model
    }

    /// Sends the body of a `chat/completions` request until there is a reply, the attempts are used up, or the server refuses
    /// for good.
    ///
    /// # Errors
    /// Every [`CallError`], of the last attempt.
    pub fn ask(&self, body: &str) -> Result<Reply, CallError> {
        let mut pause = self.endpoint.pause;
        for attempt in 1.. {
            self.wait_for_turn();
            let (error, retry_after) = match self.endpoint.call(body) {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            if attempt >= self.endpoint.attempts || !error.may_pass() {
                return Err(error);
            }
            sleep(retry_after.unwrap_or_default().max(pause).min(self.endpoint.longest_pause));
            pause *= 2;
        }
        unreachable!("the loop has no end but return")
    }

    fn wait_for_turn(&self) {
        let mut next = self.next_call.lock().expect("no thread panics");
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.endpoint.interval);
        drop(next);
        sleep(turn.saturating_duration_since(now));
    }
}
