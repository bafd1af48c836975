//! What each tensor of a checkpoint is called in GGUF, and in which order its rows go there.

use crate::fold::ROPE_FACTORS;
use crate::{Architecture, Error, Hyperparameters, TensorSource};

/// How one tensor of the file is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// Name in the checkpoint.
    pub source: String,
    /// Name in GGUF.
    pub target: String,
    /// Shape in the checkpoint, slowest first.
    pub shape: Vec<usize>,
    /// Shape in the file, slowest first; what it has more is zeros.
    pub padded: Vec<usize>,
    /// The row of the checkpoint for a row of the file.
    pub rows: RowOrder,
}

/// The order of a matrix's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOrder {
    AsStored,
    /// Hugging Face turns number i of a head with number i + head_dim/2, llama.cpp's `llama` turns number 2i with 2i+1:
    /// each head goes from (2, head_dim/2) to (head_dim/2, 2).
    Interleaved {
        head_dim: usize,
    },
}

impl RowOrder {
    /// The checkpoint's row that becomes row `row` of the file.
    pub fn source_row(self, row: usize) -> usize {
        match self {
            RowOrder::AsStored => row,
            RowOrder::Interleaved { head_dim } => {
                let (head, place) = (row / head_dim, row % head_dim);
                head * head_dim + (place % 2) * (head_dim / 2) + place / 2
            }
        }
    }
}

/// A recipe for every tensor of the model, in the order of the file: embedding, blocks, final norm, head.
///
/// `d_ff` is the feed-forward width in the file, at least the model's own: the added hidden units have zero weights
/// and compute 0.
pub(crate) fn recipes(
    source: &dyn TensorSource,
    model: &Hyperparameters,
    d_ff: usize,
) -> Result<Vec<Recipe>, Error> {
    let shapes: std::collections::BTreeMap<String, Vec<usize>> = source.tensors().into_iter().collect();
    let mut recipes = Vec::new();
    for (source, target, shape, padded, rows) in expected(model, d_ff) {
        match shapes.get(&source) {
            Some(found) if *found == shape => recipes.push(Recipe { source, target, shape, padded, rows }),
            Some(found) => {
                return Err(Error::Shape { name: source, expected: shape, found: found.clone() });
            }
            None if source.ends_with(".bias") || source == ROPE_FACTORS => {}
            None => return Err(Error::MissingTensor { name: source }),
        }
    }
    let stray = shapes.keys().find(|&name| {
        let tied_head = model.tied && name == "lm_head.weight";
        let derived = name.ends_with("rotary_emb.inv_freq");
        !tied_head && !derived && recipes.iter().all(|recipe| recipe.source != *name)
    });
    match stray {
        Some(name) => {
            Err(Error::UnexpectedTensor { name: name.clone(), architecture: model.architecture.name() })
        }
        None => Ok(recipes),
    }
}

type Expected = (String, String, Vec<usize>, Vec<usize>, RowOrder);

fn expected(model: &Hyperparameters, ff: usize) -> Vec<Expected> {
    use RowOrder::AsStored;
    let (d, hd) = (model.d_model, model.head_dim);
    let (q, kv) = (model.n_heads * hd, model.n_kv_heads * hd);
    let turned = match model.architecture {
        Architecture::Llama => RowOrder::Interleaved { head_dim: hd },
        Architecture::Qwen3 => AsStored,
    };
    let mut all: Vec<Expected> = Vec::new();
    let mut add = |source: String, target: String, shape: &[usize], padded: &[usize], rows| {
        all.push((source, target, shape.to_vec(), padded.to_vec(), rows));
    };
    let v = model.vocab_size;
    add("model.embed_tokens.weight".into(), "token_embd.weight".into(), &[v, d], &[v, d], AsStored);
    for layer in 0..model.n_layers {
        let mut add = |source: &str, target: &str, shape: &[usize], padded: &[usize], rows| {
            add(
                format!("model.layers.{layer}.{source}"),
                format!("blk.{layer}.{target}"),
                shape,
                padded,
                rows,
            );
        };
        add("input_layernorm.weight", "attn_norm.weight", &[d], &[d], AsStored);
        for (source, target, width, rows) in
            [("q", "attn_q", q, turned), ("k", "attn_k", kv, turned), ("v", "attn_v", kv, AsStored)]
        {
            let (source, target) = (format!("self_attn.{source}_proj"), target);
            add(&format!("{source}.weight"), &format!("{target}.weight"), &[width, d], &[width, d], rows);
            if model.architecture == Architecture::Llama {
                add(&format!("{source}.bias"), &format!("{target}.bias"), &[width], &[width], rows);
            }
        }
        if model.architecture == Architecture::Qwen3 {
            add("self_attn.q_norm.weight", "attn_q_norm.weight", &[hd], &[hd], AsStored);
            add("self_attn.k_norm.weight", "attn_k_norm.weight", &[hd], &[hd], AsStored);
        }
        add("self_attn.o_proj.weight", "attn_output.weight", &[d, q], &[d, q], AsStored);
        add("post_attention_layernorm.weight", "ffn_norm.weight", &[d], &[d], AsStored);
        let own = model.d_ff;
        for (source, target, shape, padded) in [
            ("mlp.gate_proj", "ffn_gate", [own, d], [ff, d]),
            ("mlp.up_proj", "ffn_up", [own, d], [ff, d]),
            ("mlp.down_proj", "ffn_down", [d, own], [d, ff]),
        ] {
            add(&format!("{source}.weight"), &format!("{target}.weight"), &shape, &padded, AsStored);
            if model.architecture == Architecture::Llama {
                let (shape, padded) = (&shape[..1], &padded[..1]);
                add(&format!("{source}.bias"), &format!("{target}.bias"), shape, padded, AsStored);
            }
        }
        if model.architecture == Architecture::Llama {
            add("self_attn.o_proj.bias", "attn_output.bias", &[d], &[d], AsStored);
        }
    }
    if model.architecture == Architecture::Llama {
        let half = [hd / 2];
        add(ROPE_FACTORS.into(), "rope_freqs.weight".into(), &half, &half, AsStored);
    }
    add("model.norm.weight".into(), "output_norm.weight".into(), &[d], &[d], AsStored);
    if !model.tied {
        add("lm_head.weight".into(), "output.weight".into(), &[v, d], &[v, d], AsStored);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_rows_bring_the_halves_of_a_head_together() {
        let order = RowOrder::Interleaved { head_dim: 6 };
        let rows: Vec<usize> = (0..12).map(|row| order.source_row(row)).collect();
        assert_eq!(rows, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
    }
}
