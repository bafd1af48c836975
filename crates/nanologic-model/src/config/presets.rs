//! Decoders with a name.

use super::{Config, Options};

/// A name and the config it stands for.
pub type Preset = (&'static str, fn() -> Config);

/// The named presets, in order of size.
pub const PRESETS: [Preset; 10] = [
    ("tiny", Config::tiny),
    ("demo", Config::demo),
    ("notes", Config::notes),
    ("notes-full", Config::notes_full),
    ("age-0", || portable(384, 6, 6, 2, 64, 1024, 32_000)),
    ("age-1", || portable(512, 8, 8, 2, 64, 1408, 32_000)),
    ("age-3", || portable(768, 12, 12, 4, 64, 2048, 32_000)),
    ("age-6", || portable(1024, 16, 16, 4, 64, 2816, 32_000)),
    ("age-12", || portable(1536, 20, 24, 8, 64, 4096, 32_000)),
    ("age-15", || portable(2560, 24, 40, 8, 64, 6912, 32_000)),
];

fn portable(
    d: usize,
    layers: usize,
    heads: usize,
    kv: usize,
    head: usize,
    ff: usize,
    vocab: usize,
) -> Config {
    Config {
        vocab_size: vocab,
        d_model: d,
        n_layers: layers,
        n_heads: heads,
        n_kv_heads: kv,
        head_dim: head,
        d_ff: ff,
        max_seq: 1024,
        rope_base: 10_000.0,
        norm_eps: 1e-6,
        qk_norm: true,
        tied: true,
        options: Options::default(),
    }
}

impl Config {
    /// A decoder of a few thousand parameters, for tests.
    pub fn tiny() -> Config {
        Config { max_seq: 128, ..portable(32, 2, 4, 2, 8, 64, 64) }
    }

    /// What the demonstration trains in minutes on two cores.
    pub fn demo() -> Config {
        portable(128, 4, 4, 2, 32, 512, 8000)
    }

    /// The 512 × 8 model of the NanoLogic notes, in the portable profile: a feed-forward of 1536, so that every
    /// quantizer takes it.
    pub fn notes() -> Config {
        portable(512, 8, 8, 2, 64, 1536, 8000)
    }

    /// The same with all that the notes name, and their feed-forward of 1365. They give no attention cap: Gemma 2's.
    pub fn notes_full() -> Config {
        let options = Options {
            embedding_scale: Some(512f64.sqrt()),
            head_scale: true,
            attention_cap: Some(50.0),
            output_cap: Some(30.0),
            gate_residual: true,
            differential: true,
            ..Options::deep_norm(8)
        };
        Config { d_ff: 1365, options, ..Config::notes() }
    }

    /// The preset of this name, one of [`PRESETS`].
    pub fn preset(name: &str) -> Option<Config> {
        PRESETS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
    }
}
