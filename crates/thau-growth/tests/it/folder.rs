//! Checkpoint folders grown whole: proven, atomic, with their optimizer state.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use safetensors::{Dtype, tensor::TensorView};
use thau_growth::{
    Accept, Architecture, Draft, Folder, GrowthError, GrowthPlan, Options, Place, Precision, Recipe, Storage,
    Tensor, TensorSource, ancestor, ledger, operator::*,
};

use crate::{
    exactness::difference,
    tiny::{Loops, Tiny, probes},
};

fn bytes(tensors: &BTreeMap<String, Tensor>) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let encode = |t: &Tensor| t.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensors.iter().map(|(name, t)| (name.clone(), t.shape.clone(), encode(t))).collect()
}

/// Written by the safetensors crate, not by ours.
fn write(path: &Path, tensors: &BTreeMap<String, Tensor>, metadata: (&str, &str)) {
    let bytes = bytes(tensors);
    let views = bytes.iter().map(|(n, s, b)| (n.clone(), TensorView::new(Dtype::F32, s.clone(), b).unwrap()));
    let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1.to_owned())]);
    fs::write(path, safetensors::serialize(views, Some(metadata)).unwrap()).unwrap();
}

pub fn checkpoint(folder: &Path, config: &Tiny) -> BTreeMap<String, Tensor> {
    let weights = config.weights(3);
    fs::create_dir_all(folder).unwrap();
    write(&folder.join("model.safetensors"), &weights, ("format", "pt"));
    let mut json = serde_json::to_value(config).unwrap();
    json["bos_token_id"] = 7.into();
    fs::write(folder.join("config.json"), json.to_string()).unwrap();
    fs::write(folder.join("tokenizer.json"), "{}").unwrap();
    fs::write(folder.join("provenance.json"), r#"{"data": {"a": "b"}, "parents": ["old"]}"#).unwrap();
    weights
}

fn larger(config: &Tiny) -> Tiny {
    let Tiny { d, layers, heads, kv, ff, .. } = *config;
    Tiny { d: d + 6, layers: layers + 1, heads: heads + 2, kv: kv + 1, ff: ff + 7, ..config.clone() }
}

#[test]
fn a_folder_grows_and_proves_it() {
    let home = tempfile::tempdir().unwrap();
    let (small, large) = (home.path().join("small"), home.path().join("large"));
    let config = Tiny::plain();
    let weights = checkpoint(&small, &config);
    fs::write(small.join("log.jsonl"), "{}\n").unwrap();
    let plan = GrowthPlan::between(&config, &larger(&config), 1).unwrap();
    let mut draft = Draft::write(&plan, &small, &large, Options::default()).unwrap();
    assert!(!large.exists(), "nothing is handed over before it is proven");
    let proof = draft.prove(&Loops, &probes(config.vocab)).unwrap().clone();
    let record = draft.hand_over().unwrap();
    assert_eq!(record.proof, Some(proof));
    assert_eq!(
        record.parent,
        blake3::hash(&fs::read(small.join("model.safetensors")).unwrap()).to_hex().as_str()
    );

    let grown = Folder::open(&large).unwrap();
    let (delta, largest) = difference(&config, &weights, plan.to(), &grown, Precision::F32);
    assert!(delta < 1e-5 * largest, "{delta}");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(large.join("config.json")).unwrap()).unwrap();
    assert_eq!((&json["d"], &json["bos_token_id"]), (&18.into(), &7.into()));
    let provenance: serde_json::Value =
        serde_json::from_slice(&fs::read(large.join("provenance.json")).unwrap()).unwrap();
    assert_eq!(provenance["parents"][0], record.parent.as_str());
    assert_eq!(provenance["data"]["a"], "b");
    let entry: thau_growth::Record = serde_json::from_value(provenance["growth"][0].clone()).unwrap();
    assert_eq!((&entry.parent, &entry.steps), (&record.parent, &record.steps));
    assert_eq!(entry.steps[2], "WidenResidual { to: 18, fold: Writers }");
    assert!(large.join("tokenizer.json").exists());
    assert!(!large.join("log.jsonl").exists(), "the old model's run is not the grown one's");
    let theirs = fs::read(large.join("model.safetensors")).unwrap();
    assert_eq!(safetensors::SafeTensors::deserialize(&theirs).unwrap().len(), plan.to().tensors().len());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2, "nothing temporary is left");

    // Again, one age further: the ledger has both.
    let next = home.path().join("next");
    let plan = GrowthPlan::between(plan.to(), &larger(plan.to()), 1).unwrap();
    Draft::write(&plan, &large, &next, Options::default()).unwrap().hand_over().unwrap();
    assert_eq!(ledger(&next).unwrap().len(), 2);
    assert_eq!(ancestor(&next, 1, home.path()).unwrap(), large);
    assert_eq!(ancestor(&next, 2, home.path()).unwrap(), small);
    assert!(matches!(ancestor(&next, 3, home.path()), Err(GrowthError::NoAncestor { growths: 3, .. })));
}

#[test]
fn shards_are_what_one_file_is() {
    let home = tempfile::tempdir().unwrap();
    let config = Tiny::plain();
    checkpoint(&home.path().join("small"), &config);
    let plan = GrowthPlan::between(&config, &larger(&config), 1).unwrap();
    let grow = |from: &str, to: &str, plan: &GrowthPlan<Tiny>, shard_bytes| {
        let options = Options { shard_bytes, ..Options::default() };
        let (from, to) = (home.path().join(from), home.path().join(to));
        Draft::write(plan, &from, &to, options).unwrap().hand_over().unwrap();
        Folder::open(&to).unwrap()
    };
    let one = grow("small", "one", &plan, None);
    let many = grow("small", "many", &plan, Some(4000));
    assert!(fs::read_dir(home.path().join("many")).unwrap().count() > 5);
    for tensor in plan.to().tensors() {
        assert_eq!(one.read(&tensor.name).unwrap(), many.read(&tensor.name).unwrap());
    }
    let again = GrowthPlan::between(plan.to(), &larger(plan.to()), 1).unwrap();
    let (one, many) = (grow("one", "a", &again, None), grow("many", "b", &again, None));
    for tensor in again.to().tensors() {
        assert_eq!(one.read(&tensor.name).unwrap(), many.read(&tensor.name).unwrap());
    }
}

#[test]
fn a_bf16_chain_is_cast_once_and_exact_from_there() {
    let home = tempfile::tempdir().unwrap();
    let config = Tiny { qk_norm: false, ..Tiny::plain() };
    checkpoint(&home.path().join("fp32"), &config);
    let options = Options { storage: Storage::Bf16, ..Options::default() };
    let (fp32, large) = (home.path().join("fp32"), home.path().join("large"));
    let recipe = Recipe {
        seed: 0,
        steps: vec![
            thau_growth::Step::AddHeads(AddHeads { query: 6, kv: 3 }),
            thau_growth::Step::WidenResidual(WidenResidual { to: 18, fold: Fold::Eps }),
        ],
    };
    let plan = recipe.plan(&config).unwrap();
    let mut draft = Draft::write(&plan, &fp32, &large, options.clone()).unwrap();
    let proof = draft.prove(&Loops, &probes(config.vocab)).unwrap();
    assert!(proof.max_logit_delta_f32 < 1e-4, "{proof:?}");
    draft.hand_over().unwrap();

    // A second growth: nothing is left to cast, and matrices stay bit for bit.
    let again =
        GrowthPlan::new(plan.to().clone(), 0).then(WidenResidual { to: 24, fold: Fold::Eps }).unwrap();
    let larger = home.path().join("larger");
    let mut draft = Draft::write(&again, &large, &larger, options.clone()).unwrap();
    draft.prove(&Loops, &probes(config.vocab)).unwrap();
    draft.hand_over().unwrap();
    let (large, larger) = (Folder::open(&large).unwrap(), Folder::open(&larger).unwrap());
    let back = again.retracted(&larger).unwrap();
    assert_eq!(back.read("1/down").unwrap(), large.read("1/down").unwrap());
    assert_eq!(back.read("tok").unwrap(), large.read("tok").unwrap());

    // The other fold rounds every writer to bf16, and the proof notices.
    let plan = GrowthPlan::new(config, 0).then(WidenResidual { to: 18, fold: Fold::Writers }).unwrap();
    let mut draft = Draft::write(&plan, &fp32, &home.path().join("lossy"), options).unwrap();
    let error = draft.prove(&Loops, &probes(29)).unwrap_err();
    assert!(matches!(error, GrowthError::LogitsMoved { precision: Precision::F32, .. }), "{error}");
}

#[test]
fn what_is_not_proven_does_not_appear() {
    let home = tempfile::tempdir().unwrap();
    let (small, large) = (home.path().join("small"), home.path().join("large"));
    let config = Tiny::plain();
    checkpoint(&small, &config);
    let stack = || GrowthPlan::new(config.clone(), 0).then(StackLayers { layers: vec![0, 1, 1] }).unwrap();
    let (lossy, options) = (stack(), Options::default());
    assert!(matches!(Draft::write(&lossy, &small, &large, options), Err(GrowthError::Preserves { .. })));
    assert!(!large.exists());

    let wider = GrowthPlan::new(config.clone(), 0).then(WidenFeedForward { to: 30 }).unwrap();
    let draft = Draft::write(&wider, &small, &large, Options::default()).unwrap();
    drop(draft);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "an abandoned draft is gone");

    fs::create_dir(&large).unwrap();
    let options = Options { accept: Accept::Lossy, ..Options::default() };
    assert!(matches!(Draft::write(&wider, &small, &large, options), Err(GrowthError::Exists { .. })));
    let other = GrowthPlan::new(Tiny { ff: 19, ..config }, 0);
    let to = home.path().join("other");
    assert!(matches!(
        Draft::write(&other, &small, &to, Options::default()),
        Err(GrowthError::NotThePlans { .. })
    ));
}

#[test]
fn forged_files_are_errors() {
    let home = tempfile::tempdir().unwrap();
    let config = Tiny::plain();
    checkpoint(home.path(), &config);
    let path = home.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let huge_header = [&u64::MAX.to_le_bytes()[..], &whole[8..]].concat();
    let huge_tensor = String::from_utf8_lossy(&whole[..400]).replacen("[29,12]", "[29,99999999]", 1);
    for forged in
        [&whole[..4], &whole[..100], &whole[..whole.len() - 1], &huge_header, huge_tensor.as_bytes(), b""]
    {
        fs::write(&path, forged).unwrap();
        assert!(Folder::open(home.path()).is_err());
    }
    fs::remove_file(&path).unwrap();
    let index = home.path().join("model.safetensors.index.json");
    fs::write(index, r#"{"weight_map": {"tok": "../../secret"}}"#).unwrap();
    assert!(matches!(Folder::open(home.path()), Err(GrowthError::Safetensors { .. })));
}

#[test]
fn a_tensor_that_is_not_the_configurations_is_named() {
    let config = Tiny::plain();
    let plan = GrowthPlan::between(&config, &larger(&config), 1).unwrap();
    let mut weights = config.weights(1);
    weights.get_mut("1/up").unwrap().shape = vec![12, 20];
    let error = plan.apply(&weights, &mut BTreeMap::new()).unwrap_err();
    assert!(matches!(&error, GrowthError::WrongShape { name, .. } if name == "1/up"), "{error}");
    weights.remove("nf");
    assert!(matches!(plan.grown(&weights).read("nf"), Err(GrowthError::MissingTensor { .. })));
}

#[test]
fn optimizer_state_goes_along() {
    let home = tempfile::tempdir().unwrap();
    let (small, large) = (home.path().join("small"), home.path().join("large"));
    let config = Tiny { tied: false, ..Tiny::plain() };
    let weights = checkpoint(&small, &config);
    let mut state = BTreeMap::new();
    for (name, tensor) in &weights {
        let filled =
            |value: f32| Tensor { shape: tensor.shape.clone(), values: vec![value; tensor.values.len()] };
        if tensor.shape.len() == 1 || name == "tok" {
            state.insert(format!("first_moment.{name}"), filled(3.0));
            state.insert(format!("second_moment.{name}"), filled(16.0));
        } else {
            state.insert(format!("momentum.{name}"), filled(5.0));
        }
        state.insert(format!("ema.{name}"), tensor.clone());
    }
    let counters = r#"{"step": 4, "optimizer_step": 90}"#;
    write(&small.join("training_state.safetensors"), &state, ("training_state", counters));

    let plan = GrowthPlan::new(config, 0)
        .then(WidenResidual { to: 48, fold: Fold::Writers })
        .unwrap()
        .then(InsertLayers { to: 3 })
        .unwrap();
    Draft::write(&plan, &small, &large, Options::default()).unwrap().hand_over().unwrap();
    let grown = thau_growth::SafetensorsFile::open(&large.join("training_state.safetensors")).unwrap();
    assert_eq!(grown.metadata()["training_state"], counters);
    let row = |name: &str| grown.read(name).unwrap().values[..48].to_vec();
    // √(48/12) = 2: writers doubled, gains halved.
    assert_eq!(row("first_moment.tok"), [[1.5; 12].as_slice(), &[0.0; 36]].concat());
    assert_eq!(row("second_moment.tok"), [[4.0; 12].as_slice(), &[0.0; 36]].concat());
    assert_eq!(row("first_moment.nf"), [[6.0; 12].as_slice(), &[0.0; 36]].concat());
    assert_eq!(row("born.nf"), [[0.0; 12].as_slice(), &[90.0; 36]].concat());
    assert_eq!(row("momentum.0/q"), [[5.0; 12].as_slice(), &[0.0; 36]].concat());
    let inserted = plan.to().tensors().into_iter().filter(|t| t.layer == Some(2));
    for tensor in inserted.filter(|tensor| tensor.shape().len() == 2) {
        assert!(grown.read(&format!("momentum.{}", tensor.name)).unwrap().values.iter().all(|&m| m == 0.0));
    }
    let model = Folder::open(&large).unwrap();
    for tensor in plan.to().tensors() {
        assert_eq!(grown.read(&format!("ema.{}", tensor.name)).unwrap(), model.read(&tensor.name).unwrap());
    }
}

#[test]
fn moments_are_tangents() {
    // d loss / d grown entry = transported (d loss / d old entry), by central differences in f64.
    use thau_growth::Forward;
    let from = Tiny { vocab: 7, d: 6, ff: 5, ..Tiny::plain() };
    let to = Tiny { d: 9, ff: 8, heads: 6, layers: 3, ..from.clone() };
    let plan = GrowthPlan::between(&from, &to, 4).unwrap();
    let small = from.weights(2);
    let large: BTreeMap<String, Tensor<f64>> = to
        .tensors()
        .iter()
        .map(|t| (t.name.clone(), plan.grown(&small).read_f64(&t.name).unwrap()))
        .collect();
    let small: BTreeMap<String, Tensor<f64>> =
        small.keys().map(|name| (name.clone(), small.read_f64(name).unwrap())).collect();
    let loss = |config: &Tiny, weights: &BTreeMap<String, Tensor<f64>>| -> f64 {
        let logits = Loops.logits(config, weights, &[vec![1, 5, 2, 3]], Precision::F64).unwrap();
        logits[0].iter().enumerate().map(|(n, v)| v * ((n * n % 11) as f64 - 4.0)).sum()
    };
    let slope = |config: &Tiny, weights: &BTreeMap<String, Tensor<f64>>, name: &str, at: usize| {
        let moved = |by: f64| {
            let mut weights = weights.clone();
            weights.get_mut(name).unwrap().values[at] += by;
            loss(config, &weights)
        };
        (moved(1e-5) - moved(-1e-5)) / 2e-5
    };
    for tensor in to.tensors().into_iter().filter(|t| t.layer.is_none_or(|layer| layer == 0)) {
        let index = Tensor {
            shape: from_shape(&from, &tensor.name),
            values: (1..).map(|n| n as f32).take(len(&from, &tensor.name)).collect(),
        };
        let source = BTreeMap::from([(tensor.name.clone(), index)]);
        // Where each old entry went, and by how much its gradient shrank.
        let went = plan.transport(&source, &tensor.name, 0).unwrap().unwrap();
        let ones = BTreeMap::from([(
            tensor.name.clone(),
            Tensor { shape: from_shape(&from, &tensor.name), values: vec![1.0; len(&from, &tensor.name)] },
        )]);
        let share = plan.transport(&ones, &tensor.name, 1).unwrap().unwrap();
        for (at, &old) in went.values.iter().enumerate().filter(|(at, old)| **old > 0.0 && at % 7 == 0) {
            let expected = slope(&from, &small, &tensor.name, old as usize - 1) * f64::from(share.values[at]);
            let found = slope(&to, &large, &tensor.name, at);
            assert!(
                (expected - found).abs() < 1e-5 * (1.0 + expected.abs()),
                "{} {at}: {expected} {found}",
                tensor.name
            );
        }
    }
}

fn from_shape(config: &Tiny, name: &str) -> Vec<usize> {
    config.tensors().into_iter().find(|tensor| tensor.name == name).unwrap().shape()
}

fn len(config: &Tiny, name: &str) -> usize {
    from_shape(config, name).iter().product()
}

#[test]
fn copies_of_a_kv_head_share_its_moments() {
    let config = Tiny::plain();
    let plan = GrowthPlan::new(config.clone(), 0).then(AddHeads { query: 4, kv: 4 }).unwrap();
    let map = AddHeads { query: 4, kv: 4 };
    let spec = plan.to().tensors().into_iter().find(|tensor| tensor.name == "0/k").unwrap();
    let map = thau_growth::GrowthOperator::map(&map, &config, plan.to(), &spec).unwrap();
    let old = |index| Place::Old { index, copies: 2 };
    assert_eq!(map.places, [old(0), old(0), old(1), old(1)]);
    let moments = BTreeMap::from([("0/k".to_owned(), Tensor { shape: vec![8, 12], values: vec![8.0; 96] })]);
    assert!(plan.transport(&moments, "0/k", 1).unwrap().unwrap().values.iter().all(|&m| m == 4.0));
    assert!(plan.transport(&moments, "0/k", 2).unwrap().unwrap().values.iter().all(|&v| v == 2.0));
}
