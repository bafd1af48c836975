//! The real llama.cpp, asked what it makes of a file.
//!
//! It comes as the Python package `xllamacpp`, whose one shared object exports llama.cpp's C interface; `cargo xtask
//! setup` puts it in a folder of its own and `NANOLOGIC_LLAMA_CPP` names that folder. A Python child holds the library
//! and talks over a pipe, so a crash in there is an error here.
//!
//! ```no_run
//! use gguf_export::llama_cpp::LlamaCpp;
//!
//! let mut model = LlamaCpp::start()?.open("model.gguf".as_ref(), 256)?;
//! let prompt = model.tokenize("<|bos|>Si llueve,")?;
//! println!("{}", model.generate(&prompt, 32)?.text);
//! # Ok::<(), gguf_export::llama_cpp::LlamaCppError>(())
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{Error, GgmlType};

mod comparison;

pub use comparison::{Agreement, Comparison, compare};

/// The environment variable that names the folder holding `xllamacpp`.
pub const FOLDER_VARIABLE: &str = "NANOLOGIC_LLAMA_CPP";

const SCRIPT: &str = include_str!("child.py");

/// Why llama.cpp gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlamaCppError {
    /// It is not installed.
    #[error(
        "llama.cpp is not in {folder}: run `cargo xtask setup`, or set {FOLDER_VARIABLE} to a folder holding xllamacpp"
    )]
    Absent {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Python could not be started.
    #[error("python3 does not start: {0}; llama.cpp is run through it")]
    Python(#[source] io::Error),
    /// The child ended or broke off.
    #[error("the llama.cpp process broke off: {0}")]
    BrokenPipe(#[source] io::Error),
    /// llama.cpp refuses the file or the request.
    #[error("{0}")]
    Refused(String),
    /// Our own side of a comparison failed.
    #[error(transparent)]
    Ours(#[from] Error),
    /// An answer that makes no sense.
    #[error("the llama.cpp process answered {0:?}")]
    Protocol(String),
}

/// The library, loaded in a process of its own that ends with this value.
pub struct LlamaCpp {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl LlamaCpp {
    /// Loads the library from the folder that `NANOLOGIC_LLAMA_CPP` names, by default `.llama-cpp`.
    ///
    /// # Errors
    /// [`LlamaCppError::Absent`] where it is not installed, [`LlamaCppError::Python`] where `python3` is not.
    pub fn start() -> Result<LlamaCpp, LlamaCppError> {
        let folder = std::env::var_os(FOLDER_VARIABLE).unwrap_or_else(|| ".llama-cpp".into());
        LlamaCpp::start_in(Path::new(&folder))
    }

    /// As [`LlamaCpp::start`], from a given folder.
    ///
    /// # Errors
    /// As [`LlamaCpp::start`].
    pub fn start_in(folder: &Path) -> Result<LlamaCpp, LlamaCppError> {
        let library = folder.join("xllamacpp").join("xllamacpp.abi3.so");
        if !library.exists() {
            return Err(LlamaCppError::Absent { folder: folder.to_owned() });
        }
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(LlamaCppError::Python)?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("stdout was asked for"));
        Ok(LlamaCpp { child, requests, answers })
    }

    /// Opens a file with a context of `n_ctx` tokens, an F32 key-value cache and plain attention.
    ///
    /// # Errors
    /// [`LlamaCppError::Refused`] with llama.cpp's own words.
    pub fn open(mut self, path: &Path, n_ctx: usize) -> Result<Model, LlamaCppError> {
        let path = path.to_str().ok_or_else(|| LlamaCppError::Refused("the path is not UTF-8".to_owned()))?;
        // ggml's threads wait for each other by spinning: on a busy machine a second one makes it hundreds of times slower.
        let n_threads = 1;
        let request = json!({"do": "open", "path": path, "n_ctx": n_ctx, "n_threads": n_threads});
        let (answer, _) = self.ask(request, &[])?;
        let vocab_size = answer["vocab_size"].as_u64().ok_or_else(|| protocol(&answer))? as usize;
        Ok(Model { llama_cpp: self, vocab_size })
    }

    /// `ggml_quantize_chunk`: the bytes that the reference makes of rows of `row_len` numbers.
    ///
    /// # Errors
    /// [`LlamaCppError::BrokenPipe`] if the reference aborts, as it does on rows that do not fill blocks.
    pub fn quantize(
        &mut self,
        ggml_type: GgmlType,
        values: &[f32],
        row_len: usize,
    ) -> Result<Vec<u8>, LlamaCppError> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let request =
            json!({"do": "quantize", "type": ggml_type.id(), "row_len": row_len, "bytes": bytes.len()});
        Ok(self.ask(request, &bytes)?.1)
    }

    /// The numbers that the reference reads from whole blocks.
    ///
    /// # Errors
    /// [`LlamaCppError::Refused`] for bytes that end within a block.
    pub fn dequantize(&mut self, ggml_type: GgmlType, bytes: &[u8]) -> Result<Vec<f32>, LlamaCppError> {
        let request = json!({"do": "dequantize", "type": ggml_type.id(), "bytes": bytes.len()});
        Ok(floats(&self.ask(request, bytes)?.1))
    }

    fn ask(&mut self, request: Value, data: &[u8]) -> Result<(Value, Vec<u8>), LlamaCppError> {
        let (answer, payload) = self.exchange(request, data).map_err(LlamaCppError::BrokenPipe)?;
        match answer["error"].as_str() {
            Some(error) => Err(LlamaCppError::Refused(error.to_owned())),
            None => Ok((answer, payload)),
        }
    }

    fn exchange(&mut self, request: Value, data: &[u8]) -> io::Result<(Value, Vec<u8>)> {
        let pipe = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(pipe, "{request}")?;
        pipe.write_all(data)?;
        pipe.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        let mut payload = vec![0; answer["bytes"].as_u64().unwrap_or(0) as usize];
        self.answers.read_exact(&mut payload)?;
        Ok((answer, payload))
    }
}

impl Drop for LlamaCpp {
    fn drop(&mut self) {
        // The child ends when its stdin closes; a child that is already gone needs no more.
        self.requests = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file opened in llama.cpp.
pub struct Model {
    llama_cpp: LlamaCpp,
    vocab_size: usize,
}

/// What a model wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its tokens, without the one that ended it.
    pub tokens: Vec<u32>,
    /// The end-of-generation token that ended it; `None` if the limit or the context did.
    pub end: Option<u32>,
    /// The text of `tokens`, special tokens spelled out; bytes that are not UTF-8 become U+FFFD.
    pub text: String,
}

impl Model {
    /// Tokens in the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The ids of a text in which special tokens count; nothing is added before or after.
    ///
    /// # Errors
    /// [`LlamaCppError`] if the process is gone.
    pub fn tokenize(&mut self, text: &str) -> Result<Vec<u32>, LlamaCppError> {
        let (answer, _) = self.llama_cpp.ask(json!({"do": "tokenize", "text": text}), &[])?;
        tokens(&answer)
    }

    /// The bytes that tokens stand for, special tokens spelled out.
    ///
    /// # Errors
    /// [`LlamaCppError`] if the process is gone.
    pub fn detokenize(&mut self, tokens: &[u32]) -> Result<Vec<u8>, LlamaCppError> {
        Ok(self.llama_cpp.ask(json!({"do": "detokenize", "tokens": tokens}), &[])?.1)
    }

    /// The logits after each token of a sequence of its own, row-major `(tokens, vocabulary)`.
    ///
    /// # Errors
    /// [`LlamaCppError::Refused`] for more tokens than the context holds, none, or one outside the vocabulary.
    pub fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, LlamaCppError> {
        let (_, payload) = self.llama_cpp.ask(json!({"do": "logits", "tokens": tokens}), &[])?;
        Ok(floats(&payload))
    }

    /// The likeliest continuation, token by token, until an end-of-generation token, `limit` tokens or a full context.
    ///
    /// # Errors
    /// As [`Model::logits`].
    pub fn generate(&mut self, prompt: &[u32], limit: usize) -> Result<Generation, LlamaCppError> {
        let request = json!({"do": "generate", "tokens": prompt, "limit": limit});
        let (answer, text) = self.llama_cpp.ask(request, &[])?;
        let end = answer["end"].as_u64().and_then(|id| u32::try_from(id).ok());
        Ok(Generation { tokens: tokens(&answer)?, end, text: String::from_utf8_lossy(&text).into_owned() })
    }
}

fn tokens(answer: &Value) -> Result<Vec<u32>, LlamaCppError> {
    let list = answer["tokens"].as_array().ok_or_else(|| protocol(answer))?;
    let ids = list.iter().map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok())).collect::<Option<_>>();
    ids.ok_or_else(|| protocol(answer))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn protocol(answer: &Value) -> LlamaCppError {
    LlamaCppError::Protocol(answer.to_string())
}
