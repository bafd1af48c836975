//! A random checkpoint folder as Hugging Face would write it, and the plain forward of its conventions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gguf_export::Forward;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

/// A model in memory: its sizes and its weights by Hugging Face name.
pub struct Toy {
    pub qk_norm: bool,
    pub tied: bool,
    pub bias: bool,
    pub d_ff: usize,
    pub rope_base: f64,
    pub vocab_size: usize,
    /// Keys of the full profile, as its `config.json` has them; an empty object is the portable profile.
    pub full: serde_json::Value,
    pub weights: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

pub const D: usize = 256;
pub const LAYERS: usize = 2;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const HEAD_DIM: usize = 64;
const EPS: f64 = 1e-6;

impl Toy {
    /// Qwen3-like: QK-norm, tied head.
    pub fn qwen3() -> Toy {
        Toy::random(true, true, false, 512)
    }

    /// TinyLlama-like: no QK-norm, head of its own.
    pub fn llama() -> Toy {
        Toy::random(false, false, false, 512)
    }

    pub fn random(qk_norm: bool, tied: bool, bias: bool, d_ff: usize) -> Toy {
        Toy::with_options(qk_norm, tied, bias, d_ff, json!({}))
    }

    /// A model of the full profile, with the options in `full`.
    pub fn full(qk_norm: bool, tied: bool, full: serde_json::Value) -> Toy {
        Toy::with_options(qk_norm, tied, false, 344, full)
    }

    fn with_options(qk_norm: bool, tied: bool, bias: bool, d_ff: usize, full: serde_json::Value) -> Toy {
        let vocab_size = 480;
        let (q, kv) = (HEADS * HEAD_DIM, KV_HEADS * HEAD_DIM);
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let mut toy = Toy {
            qk_norm,
            tied,
            bias,
            d_ff,
            rope_base: 10_000.0,
            vocab_size,
            full,
            weights: BTreeMap::new(),
        };
        let (differential, gate_residual) =
            (toy.switch("differential_attention"), toy.switch("gate_residual"));
        let head_scale = toy.switch("head_scale");
        let mut put = |name: String, shape: &[usize], mean: f32, scale: f32| {
            let mut normal = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            let values = (0..shape.iter().product()).map(|_| mean + scale * normal()).collect();
            toy.weights.insert(name, (shape.to_vec(), values));
        };
        let (matrix, gamma) = ((0.0, 0.06), (1.0, 0.2));
        put("model.embed_tokens.weight".into(), &[vocab_size, D], 0.0, 0.3);
        for layer in 0..LAYERS {
            for (name, shape, (mean, scale)) in [
                ("input_layernorm.weight", vec![D], gamma),
                ("self_attn.q_proj.weight", vec![q, D], matrix),
                ("self_attn.k_proj.weight", vec![kv, D], matrix),
                ("self_attn.v_proj.weight", vec![kv, D], matrix),
                ("self_attn.o_proj.weight", vec![D, q], matrix),
                ("post_attention_layernorm.weight", vec![D], gamma),
                ("mlp.gate_proj.weight", vec![d_ff, D], matrix),
                ("mlp.up_proj.weight", vec![d_ff, D], matrix),
                ("mlp.down_proj.weight", vec![D, d_ff], matrix),
            ] {
                put(format!("model.layers.{layer}.{name}"), &shape, mean, scale);
                if bias && name.ends_with("_proj.weight") {
                    let name = name.replace("weight", "bias");
                    put(format!("model.layers.{layer}.{name}"), &shape[..1], 0.0, 0.3);
                }
            }
            if qk_norm {
                put(format!("model.layers.{layer}.self_attn.q_norm.weight"), &[HEAD_DIM], 1.0, 0.2);
                put(format!("model.layers.{layer}.self_attn.k_norm.weight"), &[HEAD_DIM], 1.0, 0.2);
            }
        }
        for layer in (0..LAYERS).map(|layer| format!("model.layers.{layer}")) {
            if differential {
                put(format!("{layer}.self_attn.q2_proj.weight"), &[q, D], 0.0, 0.06);
                put(format!("{layer}.self_attn.k2_proj.weight"), &[kv, D], 0.0, 0.06);
                put(format!("{layer}.self_attn.lambda"), &[], 0.4, 0.1);
            }
            if gate_residual {
                put(format!("{layer}.mlp.gate_residual"), &[], 0.3, 0.1);
            }
        }
        if head_scale {
            put("lm_head.scale".into(), &[], 1.3, 0.1);
        }
        put("model.norm.weight".into(), &[D], 1.0, 0.2);
        if !tied {
            put("lm_head.weight".into(), &[vocab_size, D], 0.0, 0.06);
        }
        toy
    }

    fn switch(&self, key: &str) -> bool {
        self.full[key].as_bool().unwrap_or(false)
    }

    /// A single number: a tensor without dimensions, or `rest` where there is none.
    fn number(&self, name: &str, rest: f64) -> f64 {
        self.weights.get(name).map_or(rest, |(_, values)| f64::from(values[0]))
    }

    /// The factor on the residual stream where sub-layer `k` is added.
    fn residual_scale(&self, k: usize) -> f64 {
        self.full["residual_scales"][k].as_f64().unwrap_or(1.0)
    }

    /// c tanh(x / c), for the cap that `key` names.
    fn capped(&self, key: &str, x: f64) -> f64 {
        self.full[key].as_f64().map_or(x, |cap| cap * (x / cap).tanh())
    }

    pub fn save(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let mut config = json!({
            "architectures": [if self.qk_norm { "Qwen3ForCausalLM" } else { "LlamaForCausalLM" }],
            "hidden_size": D, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM, "intermediate_size": self.d_ff,
            "vocab_size": self.vocab_size, "max_position_embeddings": 128, "rms_norm_eps": EPS,
            "rope_theta": self.rope_base, "tie_word_embeddings": self.tied, "hidden_act": "silu",
            "attention_bias": self.bias, "mlp_bias": self.bias,
        });
        let full = self.full.as_object().unwrap();
        if !full.is_empty() {
            config["architectures"] = json!(["NanoLogicForCausalLM"]);
            config["use_qk_norm"] = self.qk_norm.into();
            full.iter().for_each(|(key, value)| config[key] = value.clone());
        }
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let bytes: BTreeMap<&str, Vec<u8>> = self
            .weights
            .iter()
            .map(|(name, (_, values))| (name.as_str(), values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let views = self.weights.iter().map(|(name, (shape, _))| {
            (name, TensorView::new(Dtype::F32, shape.clone(), &bytes[name.as_str()]).unwrap())
        });
        safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
        save_tokenizer(folder);
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (shape, weight) = &self.weights[&format!("{name}.weight")];
        let bias = self.weights.get(&format!("{name}.bias")).map(|(_, bias)| bias);
        x.chunks(shape[1])
            .flat_map(|x| {
                weight.chunks(shape[1]).enumerate().map(move |(row, w)| {
                    let sum: f64 = x.iter().zip(w).map(|(x, &w)| x * f64::from(w)).sum();
                    sum + bias.map_or(0.0, |bias| f64::from(bias[row]))
                })
            })
            .collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let gamma = &self.weights[name].1;
        x.chunks(gamma.len())
            .flat_map(|x| {
                let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
                x.iter().zip(gamma).map(move |(x, &g)| x / (mean + EPS).sqrt() * f64::from(g))
            })
            .collect()
    }

    /// `rotate_half` of Hugging Face: the first half of a head turns with the second.
    fn turn(&self, x: &mut [f64], heads: usize) {
        for (place, head) in x.chunks_mut(HEAD_DIM).enumerate() {
            for i in 0..HEAD_DIM / 2 {
                let plain = self.rope_base.powf(-((2 * i) as f64) / HEAD_DIM as f64);
                let frequency = self.full["rope_frequencies"][i].as_f64().unwrap_or(plain);
                let (sin, cos) = ((place / heads) as f64 * frequency).sin_cos();
                let (a, b) = (head[i], head[i + HEAD_DIM / 2]);
                head[i] = a * cos - b * sin;
                head[i + HEAD_DIM / 2] = b * cos + a * sin;
            }
        }
    }

    /// softmax(q kᵀ / √hd) v of all heads, with queries and keys from the projections of these names.
    fn pattern(&self, prefix: &str, [q, k]: [&str; 2], x: &[f64], n: usize) -> Vec<f64> {
        let mut q = self.linear(&format!("{prefix}.{q}"), x);
        let mut k = self.linear(&format!("{prefix}.{k}"), x);
        let v = self.linear(&format!("{prefix}.v_proj"), x);
        if self.qk_norm {
            q = self.norm(&format!("{prefix}.q_norm.weight"), &q);
            k = self.norm(&format!("{prefix}.k_norm.weight"), &k);
        }
        self.turn(&mut q, HEADS);
        self.turn(&mut k, KV_HEADS);
        let mut out = vec![0.0; n * HEADS * HEAD_DIM];
        for t in 0..n {
            for head in 0..HEADS {
                let at = (t * HEADS + head) * HEAD_DIM;
                let key = |s: usize| (s * KV_HEADS + head / (HEADS / KV_HEADS)) * HEAD_DIM;
                let score = |s: usize| -> f64 {
                    let dot: f64 = (0..HEAD_DIM).map(|i| q[at + i] * k[key(s) + i]).sum();
                    self.capped("attn_logit_softcapping", dot / (HEAD_DIM as f64).sqrt()).exp()
                };
                let total: f64 = (0..=t).map(score).sum();
                for s in 0..=t {
                    for i in 0..HEAD_DIM {
                        out[at + i] += score(s) / total * v[key(s) + i];
                    }
                }
            }
        }
        out
    }

    fn attention(&self, prefix: &str, x: &[f64], n: usize) -> Vec<f64> {
        let mut mixed = self.pattern(prefix, ["q_proj", "k_proj"], x, n);
        if self.switch("differential_attention") {
            let lambda = self.number(&format!("{prefix}.lambda"), 0.0);
            let second = self.pattern(prefix, ["q2_proj", "k2_proj"], x, n);
            mixed.iter_mut().zip(second).for_each(|(mixed, second)| *mixed -= lambda * second);
        }
        self.linear(&format!("{prefix}.o_proj"), &mixed)
    }
}

impl Forward for Toy {
    fn logits(&self, tokens: &[u32]) -> Result<Vec<f64>, Box<dyn std::error::Error + Send + Sync>> {
        let embedding = &self.weights["model.embed_tokens.weight"].1;
        let row = |token: &u32| embedding[*token as usize * D..][..D].iter().map(|&w| f64::from(w));
        let mut x: Vec<f64> = tokens.iter().flat_map(row).collect();
        let embedding_scale = self.full["embedding_scale"].as_f64().unwrap_or(1.0);
        x.iter_mut().for_each(|x| *x *= embedding_scale);
        for layer in 0..LAYERS {
            let prefix = format!("model.layers.{layer}");
            let h = self.norm(&format!("{prefix}.input_layernorm.weight"), &x);
            let h = self.attention(&format!("{prefix}.self_attn"), &h, tokens.len());
            x.iter_mut().zip(h).for_each(|(x, h)| *x = self.residual_scale(2 * layer) * *x + h);
            let h = self.norm(&format!("{prefix}.post_attention_layernorm.weight"), &x);
            let gate = self.linear(&format!("{prefix}.mlp.gate_proj"), &h);
            let up = self.linear(&format!("{prefix}.mlp.up_proj"), &h);
            let open = self.number(&format!("{prefix}.mlp.gate_residual"), 0.0);
            let h: Vec<f64> = gate.iter().zip(up).map(|(g, u)| (g / (1.0 + (-g).exp()) + open) * u).collect();
            let h = self.linear(&format!("{prefix}.mlp.down_proj"), &h);
            x.iter_mut().zip(h).for_each(|(x, h)| *x = self.residual_scale(2 * layer + 1) * *x + h);
        }
        let x = self.norm("model.norm.weight", &x);
        let logits = self.linear(if self.tied { "model.embed_tokens" } else { "lm_head" }, &x);
        let scale = self.number("lm_head.scale", 1.0);
        Ok(logits.into_iter().map(|x| self.capped("final_logit_softcapping", scale * x)).collect())
    }
}

const SPANISH: &str = "Si todos los hombres son mortales y Sócrates es un hombre, entonces Sócrates es mortal. \
    p ∧ q → r, ¬(p ∨ q) ↔ (¬p ∧ ¬q). ¿Es válido? ¡Claro que sí! En 1879 Frege publicó la Begriffsschrift. \
    El niño comió 12345 piñas; llueve o nieva, pero no ambos. Si llueve, me mojo.";

/// Special tokens as ours: some control, some that text may spell.
pub const CONTROL: [&str; 6] = ["<|pad|>", "<|bos|>", "<|eos|>", "<|unk|>", "<|input|>", "<|output|>"];
pub const USER_DEFINED: [&str; 9] = ["∧", "∨", "¬", "→", "↔", "<0>", "<1>", "<2>", "<13>"];

fn save_tokenizer(folder: &Path) {
    let tokenizer = tokenizer();
    tokenizer.save(folder.join("tokenizer.json"), false).unwrap();
    let config = json!({"bos_token": "<|bos|>", "eos_token": "<|eos|>", "unk_token": "<|unk|>", "pad_token": "<|pad|>"});
    fs::write(folder.join("tokenizer_config.json"), config.to_string()).unwrap();
}

/// A byte-level BPE of 460 tokens, trained on a few lines.
pub fn tokenizer() -> tokenizers::Tokenizer {
    use tokenizers::models::bpe::{BPE, BpeTrainer};
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::{AddedToken, TokenizerBuilder};
    let mut tokenizer = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None::<tokenizers::normalizers::NormalizerWrapper>)
        .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
        .with_post_processor(None::<tokenizers::processors::PostProcessorWrapper>)
        .with_decoder(Some(ByteLevel::default()))
        .build()
        .unwrap();
    let added = |special| move |text: &&str| AddedToken::from(*text, special).normalized(false);
    let mut trainer = BpeTrainer::builder()
        .vocab_size(460)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(
            CONTROL.iter().map(added(true)).chain(USER_DEFINED.iter().map(added(false))).collect(),
        )
        .build();
    tokenizer.train(&mut trainer, std::iter::repeat_n(SPANISH, 4)).unwrap();
    let tokenizer: tokenizers::Tokenizer =
        serde_json::from_value(serde_json::to_value(&tokenizer).unwrap()).unwrap();
    tokenizer
}
