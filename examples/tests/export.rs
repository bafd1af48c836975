//! The tool `export_gguf` on checkpoints of the full profile, judged by the real llama.cpp.

mod tool;

use data_pipeline::Tokenizer;
use gguf_export::llama_cpp::LlamaCpp;
use gguf_export::{GgufFile, Proof, probes};
use nanologic_model::{Checkpoint, Config, Options, Provenance, Reference, Weights};
use tool::tool;

/// A small decoder of the full profile with nothing at zero, and a tokenizer of its own.
fn checkpoint(qk_norm: bool, tied: bool, options: Options) -> Checkpoint {
    let config = Config {
        vocab_size: 512,
        d_model: 256,
        n_heads: 4,
        head_dim: 64,
        d_ff: 384,
        max_seq: 64,
        qk_norm,
        tied,
        options,
        ..Config::tiny()
    };
    let mut weights = Weights::init(&config, 7);
    for (i, x) in weights.0.values_mut().flat_map(|tensor| &mut tensor.data).enumerate() {
        *x += 0.04 * (i as f32 * 1.7).sin();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let sentences = ["Si llueve, me mojo.", "Llueve o nieva, pero no ambos."];
    Tokenizer::train(sentences, 500).unwrap().save(&path).unwrap();
    let tokenizer = Some(std::fs::read(path).unwrap());
    Checkpoint { config, weights, tokenizer, training: None, provenance: Provenance::default() }
}

/// What both architectures take.
fn common() -> Options {
    Options {
        embedding_scale: Some(16.0),
        head_scale: true,
        differential: true,
        ..Options::deep_norm(Config::tiny().n_layers)
    }
}

#[test]
fn llama_cpp_computes_the_logits_of_a_full_profile_checkpoint() {
    // Other frequencies than the base gives, as a grown head keeps them.
    let rope_frequencies = (0..32).map(|i| 0.9 * 0.8_f64.powi(i)).collect();
    let all = Options { gate_residual: true, rope_frequencies, ..common() };
    for (architecture, checkpoint) in
        [("qwen3", checkpoint(true, true, common())), ("llama", checkpoint(false, false, all))]
    {
        let home = tempfile::tempdir().unwrap();
        let (folder, file) = (home.path().join("checkpoint"), home.path().join("model.gguf"));
        checkpoint.save(&folder).unwrap();
        let mut export = tool("export_gguf");
        export.arg("--checkpoint").arg(&folder).args(["--quantize", "F32", "--out"]).arg(&file);
        let output = export.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        for folded in ["residual scales", "embedding scale", "head scale", "differential attention"] {
            assert!(report.contains(&format!("changed: {folded}")), "{folded}: {report}");
        }

        let metadata = &GgufFile::open(&file).unwrap().header().metadata.clone();
        assert_eq!(metadata.str("general.architecture"), Some(architecture));
        let reference = Reference::<f64>::new(&checkpoint.config, &checkpoint.weights).unwrap();
        let vocab_size = checkpoint.config.vocab_size;
        let mut model = LlamaCpp::start().unwrap().open(&file, 64).unwrap();
        let mut proof = Proof::default();
        for tokens in probes(vocab_size, 4, 48) {
            let found: Vec<f64> = model.logits(&tokens).unwrap().into_iter().map(f64::from).collect();
            proof.compare(vocab_size, &reference.logits(&tokens).unwrap(), &found).unwrap();
        }
        assert!(proof.relative_difference() <= 2e-5, "{architecture}: {proof}");
    }
}
