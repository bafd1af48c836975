//! Tools that ask a server, and only servers that are named.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::{Tool, ToolError};

/// Bytes of a page that are read.
const MAX_PAGE: u64 = 64 << 10;

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The address is none, or not of `http` or `https`.
    #[error("{url} is no address of the web")]
    Address {
        /// What was given.
        url: String,
    },
    /// The host is not on the list.
    #[error("{host} is not a host that may be asked")]
    NotAllowed {
        /// Host and port.
        host: String,
    },
    /// The call broke off, or was not answered in time.
    #[error("the call broke off: {0}")]
    Broken(#[from] ureq::Error),
    /// The server answered otherwise than with success. Redirections are not followed.
    #[error("the server answered with status {0}")]
    Status(u16),
}

/// Fetches a text from hosts that are named: `{"status", "text"}`.
///
/// Hosts are compared as `name:port`, port 80 or 443 where the address has none; redirections are not followed, so that an
/// allowed host leads nowhere else. A name is as good as whoever answers for it: for what must not be reached, use a firewall.
#[derive(Clone, Debug)]
pub struct HttpGet {
    hosts: BTreeSet<String>,
}

impl HttpGet {
    /// Fetches from these hosts only, each as `name:port`.
    pub fn from_hosts(hosts: impl IntoIterator<Item = String>) -> HttpGet {
        HttpGet { hosts: hosts.into_iter().map(|host| host.to_lowercase()).collect() }
    }
}

/// What to fetch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetArguments {
    /// The address, with `http://` or `https://`.
    url: String,
}

impl Tool for HttpGet {
    type Arguments = GetArguments;
    const NAME: &'static str = "http_get";
    const DESCRIPTION: &'static str = "Trae el texto de una dirección de la web.";

    fn run(&self, arguments: GetArguments, until: Instant) -> Result<Value, ToolError> {
        let host = host(&arguments.url)?;
        if !self.hosts.contains(&host) {
            return Err(WebError::NotAllowed { host }.into());
        }
        let mut response = agent(until).get(&arguments.url).call().map_err(WebError::from)?;
        Ok(json!({ "status": response.status().as_u16(), "text": page(&mut response)? }))
    }
}

/// `name:port` of an address.
fn host(url: &str) -> Result<String, WebError> {
    let address = || WebError::Address { url: url.to_owned() };
    let uri: Uri = url.parse().map_err(|_| address())?;
    let port = match (uri.scheme_str(), uri.port_u16()) {
        (Some("http" | "https"), Some(port)) => port,
        (Some("http"), None) => 80,
        (Some("https"), None) => 443,
        _ => return Err(address()),
    };
    let authority =
        uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(address)?;
    Ok(format!("{}:{port}", authority.host().to_lowercase()))
}

fn agent(until: Instant) -> Agent {
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let config =
        Agent::config_builder().timeout_global(Some(left)).max_redirects(0).http_status_as_error(false);
    config.build().into()
}

/// The text of a successful answer; a longer one is cut off.
fn page(response: &mut Response<Body>) -> Result<String, WebError> {
    use std::io::Read;
    let status = response.status();
    if !status.is_success() {
        return Err(WebError::Status(status.as_u16()));
    }
    let mut bytes = Vec::new();
    let read = response.body_mut().as_reader().take(MAX_PAGE).read_to_end(&mut bytes);
    read.map_err(ureq::Error::from)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Has a server draw a picture: the guides' `POST /vision/generate`, answered with `{"success", "path"}`.
#[derive(Clone, Debug)]
pub struct GenerateImage {
    address: String,
}

impl GenerateImage {
    /// Asks the server at this address, as `http://127.0.0.1:8000/vision/generate`.
    pub fn at(address: &str) -> GenerateImage {
        GenerateImage { address: address.to_owned() }
    }
}

/// What to draw.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageArguments {
    /// What the picture shows.
    prompt: String,
    /// Pixels across.
    #[serde(default = "side")]
    #[schemars(range(min = 64, max = 2048))]
    width: u32,
    /// Pixels down.
    #[serde(default = "side")]
    #[schemars(range(min = 64, max = 2048))]
    height: u32,
}

fn side() -> u32 {
    512
}

impl Tool for GenerateImage {
    type Arguments = ImageArguments;
    const NAME: &'static str = "generate_image";
    const DESCRIPTION: &'static str = "Genera una imagen a partir de una descripción.";

    fn run(&self, arguments: ImageArguments, until: Instant) -> Result<Value, ToolError> {
        let side = |pixels: u32| pixels.clamp(64, 2048);
        let (width, height) = (side(arguments.width), side(arguments.height));
        let body = json!({ "prompt": arguments.prompt, "width": width, "height": height }).to_string();
        let request = agent(until).post(&self.address).content_type("application/json");
        let mut response = request.send(&body).map_err(WebError::from)?;
        Ok(serde_json::from_str(&page(&mut response)?)?)
    }
}

#[cfg(test)]
mod tests;
