#!/usr/bin/env python3
"""Writes arrays.safetensors: what PyTorch, transformers and schedulefree compute, for tests/it/pytorch.rs to agree with.

    pip install torch==2.11.0 schedulefree transformers safetensors numpy
    python make.py

The decoder below is written from the formulas of `Options`, in plain autograd. Weights are not stored: both sides draw
them from the same integer formula (`noisy`). A case is a shape and its options; its arrays are named `case/...`.
"""
import json, math, pathlib, tempfile
import numpy as np, torch, torch.nn.functional as F
from safetensors.torch import save_file

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
TINY = dict(vocab_size=24, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, head_dim=4, d_ff=20, max_seq=64, rope_base=1e4, eps=1e-6, qk_norm=True, tied=True)
OPTIONS = dict(
    residual_scales=[1.3, 0.7, 1.9, 1.1], embedding_scale=5.7, head_scale=True, attention_cap=0.8, output_cap=1.5,
    gate_residual=True, differential=True, rope_frequencies=[1.0, 0.03],
)
CASES = {"portable": TINY, "llama": TINY | dict(qk_norm=False, tied=False)}
CASES |= {name: TINY | {name: value} for name, value in OPTIONS.items()}
CASES["all"] = TINY | OPTIONS
CASES["all_untied"] = TINY | OPTIONS | dict(qk_norm=False, tied=False, n_kv_heads=4)
IDS = [(7 * i * i + 11 * i + 3) % 24 for i in range(20)]
DOCUMENTS = [0] * 8 + [1] * 12
POSITIONS = list(range(8)) + list(range(12))
TARGETS = [(5 * i + 1) % 24 for i in range(20)]
SMOOTHING, Z = 0.1, 1e-2


def shapes(c):
    """Names and shapes, in the order of their names."""
    d, q, kv, ff = c["d_model"], c["n_heads"] * c["head_dim"], c["n_kv_heads"] * c["head_dim"], c["d_ff"]
    out = {"model.embed_tokens.weight": (c["vocab_size"], d), "model.norm.weight": (d,)}
    for n in range(c["n_layers"]):
        p = f"model.layers.{n}."
        out |= {p + "input_layernorm.weight": (d,), p + "post_attention_layernorm.weight": (d,),
                p + "self_attn.q_proj.weight": (q, d), p + "self_attn.k_proj.weight": (kv, d),
                p + "self_attn.v_proj.weight": (kv, d), p + "self_attn.o_proj.weight": (d, q),
                p + "mlp.gate_proj.weight": (ff, d), p + "mlp.up_proj.weight": (ff, d), p + "mlp.down_proj.weight": (d, ff)}
        if c["qk_norm"]:
            out |= {p + "self_attn.q_norm.weight": (c["head_dim"],), p + "self_attn.k_norm.weight": (c["head_dim"],)}
        if c.get("differential"):
            out |= {p + "self_attn.q2_proj.weight": (q, d), p + "self_attn.k2_proj.weight": (kv, d), p + "self_attn.lambda": ()}
        if c.get("gate_residual"):
            out[p + "mlp.gate_residual"] = ()
    if not c["tied"]:
        out["lm_head.weight"] = (c["vocab_size"], d)
    if c.get("head_scale"):
        out["lm_head.scale"] = ()
    return dict(sorted(out.items()))


def noisy(c, dtype=torch.float32):
    """Value i of tensor n in the order of names: a hash of both, uniform in steps of 1/1024; gains and numbers about 1."""
    weights = {}
    for n, (name, shape) in enumerate(shapes(c).items()):
        size = math.prod(shape)
        i = np.arange(size, dtype=np.uint64)
        h = (i * 2654435761 + n * 40503 + 12345) % 2**32
        h = (h ^ (h >> 15)) * 2246822519 % 2**32
        value = ((h ^ (h >> 13)) % 1024).astype(np.float64) / 1024 - 0.5
        value = value + 1 if len(shape) < 2 else value
        weights[name] = torch.tensor(value.reshape(shape), dtype=dtype)
    return weights


def norm(x, gain, eps):
    return gain * x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def forward(c, w, ids, positions, documents):
    """Logits (T, V) of packed documents."""
    t, hd = len(ids), c["head_dim"]
    position, document = torch.tensor(positions), torch.tensor(documents)
    seen = (document[:, None] == document[None]) & torch.ones(t, t, dtype=torch.bool).tril()
    omega = c.get("rope_frequencies") or [c["rope_base"] ** (-2 * i / hd) for i in range(hd // 2)]
    angle = (position[:, None].double() * torch.tensor(omega, dtype=torch.float64)[None])
    dtype = w["model.norm.weight"].dtype
    cos, sin = angle.cos().to(dtype)[:, None], angle.sin().to(dtype)[:, None]
    cap = lambda x, c: x if c is None else c * torch.tanh(x / c)

    def placed(p, name, gain, h):
        x = (h @ w[p + name].T).view(t, -1, hd)
        if c["qk_norm"]:
            x = norm(x, w[p + gain], c["eps"])
        a, b = x.chunk(2, -1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).transpose(0, 1)

    def pattern(q, k, v):
        k, v = (x.repeat_interleave(c["n_heads"] // c["n_kv_heads"], 0) for x in (k, v))
        scores = cap(q @ k.transpose(1, 2) / math.sqrt(hd), c.get("attention_cap"))
        return scores.masked_fill(~seen, -math.inf).softmax(-1) @ v

    x = w["model.embed_tokens.weight"][torch.tensor(ids)] * c.get("embedding_scale", 1.0)
    alpha = c.get("residual_scales") or [1.0] * (2 * c["n_layers"])
    for n in range(c["n_layers"]):
        p = f"model.layers.{n}.self_attn."
        h = norm(x, w[f"model.layers.{n}.input_layernorm.weight"], c["eps"])
        v = (h @ w[p + "v_proj.weight"].T).view(t, -1, hd).transpose(0, 1)
        y = pattern(placed(p, "q_proj.weight", "q_norm.weight", h), placed(p, "k_proj.weight", "k_norm.weight", h), v)
        if c.get("differential"):
            q, k = placed(p, "q2_proj.weight", "q_norm.weight", h), placed(p, "k2_proj.weight", "k_norm.weight", h)
            y = y - w[p + "lambda"] * pattern(q, k, v)
        x = alpha[2 * n] * x + y.transpose(0, 1).reshape(t, -1) @ w[p + "o_proj.weight"].T
        p = f"model.layers.{n}.mlp."
        h = norm(x, w[f"model.layers.{n}.post_attention_layernorm.weight"], c["eps"])
        gate = F.silu(h @ w[p + "gate_proj.weight"].T)
        if c.get("gate_residual"):
            gate = gate + w[p + "gate_residual"]
        x = alpha[2 * n + 1] * x + (gate * (h @ w[p + "up_proj.weight"].T)) @ w[p + "down_proj.weight"].T
    logits = norm(x, w["model.norm.weight"], c["eps"]) @ w["model.embed_tokens.weight" if c["tied"] else "lm_head.weight"].T
    if c.get("head_scale"):
        logits = logits * w["lm_head.scale"]
    return cap(logits, c.get("output_cap"))


def ours(c):
    """The config of a case, as its config.json."""
    options = {k: v for k, v in c.items() if k in OPTIONS}
    names = dict(attention_cap="attn_logit_softcapping", output_cap="final_logit_softcapping", differential="differential_attention")
    kind = "nanologic" if options else "qwen3" if c["qk_norm"] else "llama"
    json_ = dict(model_type=kind, vocab_size=c["vocab_size"], hidden_size=c["d_model"], num_hidden_layers=c["n_layers"],
                 num_attention_heads=c["n_heads"], num_key_value_heads=c["n_kv_heads"], head_dim=c["head_dim"],
                 intermediate_size=c["d_ff"], max_position_embeddings=c["max_seq"], rope_theta=c["rope_base"],
                 rms_norm_eps=c["eps"], tie_word_embeddings=c["tied"])
    json_ |= {names.get(k, k): v for k, v in options.items()}
    return json_ | ({"use_qk_norm": c["qk_norm"]} if options else {})


def pytorch(arrays):
    """Logits, losses and every gradient, by autograd in f64 rounded once: PyTorch's own fp32 would add its noise."""
    for name, c in CASES.items():
        w = {k: v.requires_grad_() for k, v in noisy(c, torch.float64).items()}
        logits = forward(c, w, IDS, POSITIONS, DOCUMENTS)
        plain = F.cross_entropy(logits, torch.tensor(TARGETS))
        loss = F.cross_entropy(logits, torch.tensor(TARGETS), label_smoothing=SMOOTHING) + Z * logits.logsumexp(-1).square().mean()
        arrays[f"{name}/logits"] = logits
        arrays[f"{name}/losses"] = torch.stack((plain, loss))
        for k, g in zip(w, torch.autograd.grad(plain, list(w.values()))):
            arrays[f"{name}/gradient/{k}"] = g
        single = forward(c, noisy(c), IDS, POSITIONS, DOCUMENTS)
        assert torch.allclose(single.double(), logits, rtol=1e-4, atol=1e-5), name


def transformers_agrees(arrays):
    """The portable folders as transformers runs them: its own classes, its own code."""
    from transformers import AutoModelForCausalLM
    for name in ("portable", "llama"):
        c = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            weights = {k: v.contiguous() for k, v in noisy(c).items()}
            save_file(weights, f"{folder}/model.safetensors", {"format": "pt"})
            cls = "Qwen3ForCausalLM" if c["qk_norm"] else "LlamaForCausalLM"
            json.dump(ours(c) | dict(architectures=[cls]), open(f"{folder}/config.json", "w"))
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
            assert type(model).__name__ == cls
            with torch.no_grad():
                arrays[f"transformers/{name}"] = model(torch.tensor([IDS])).logits[0]


def optimizers(arrays):
    """Five steps on a matrix, with gradients by the same formula as the weights."""
    shape = (6, 10)
    tensor = lambda seed, shape: torch.tensor(
        [((i * 7919 + seed * 104729) % 1009) / 1009 - 0.5 for i in range(math.prod(shape))], dtype=torch.float32).view(shape)
    def run(make, before=lambda o: None, shape=shape):
        w = torch.nn.Parameter(tensor(0, shape))
        o = make([w])
        before(o)
        for step in range(1, 6):
            w.grad = tensor(step, shape)
            o.step()
        if hasattr(o, "eval"):
            arrays["schedulefree/y"] = w.detach().clone()
            o.eval()
        return w
    import schedulefree
    arrays["optimizer/adamw"] = run(lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.1))
    arrays["optimizer/schedulefree"] = run(
        lambda p: schedulefree.AdamWScheduleFree(p, lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0, warmup_steps=0), lambda o: o.train())
    arrays["optimizer/schedulefree_warmup_decay"] = run(
        lambda p: schedulefree.AdamWScheduleFree(p, lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.1, warmup_steps=3), lambda o: o.train())
    # torch.optim.Muon works in bf16; the same steps in fp32, from its published source.
    def muon(shape):
        w, momentum = tensor(0, shape), torch.zeros(shape)
        for step in range(1, 6):
            g = tensor(step, shape)
            momentum.lerp_(g, 1 - 0.95)
            x = g.lerp(momentum, 0.95)
            x = x.T if shape[0] > shape[1] else x
            x = x / (x.norm() + 1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = x.T if shape[0] > shape[1] else x
            w = w * (1 - 0.02 * 0.01) - 0.02 * max(1, shape[0] / shape[1]) ** 0.5 * x
        return w
    arrays["optimizer/muon_wide"], arrays["optimizer/muon_tall"] = muon((6, 10)), muon((10, 6))
    real = run(lambda p: torch.optim.Muon(p, lr=0.02, weight_decay=0.01, momentum=0.95, nesterov=True, eps=1e-7, adjust_lr_fn="original"), shape=(10, 6))
    print("torch.optim.Muon (bf16) is within", (real - muon((10, 6))).abs().max().item())


arrays = {}
pytorch(arrays)
transformers_agrees(arrays)
optimizers(arrays)
for name in ("portable", "llama"):
    c = CASES[name]
    alone = forward(c, noisy(c), IDS, list(range(20)), [0] * 20)
    distance = (alone - arrays[f"transformers/{name}"]).abs().max().item()
    print(f"{name}: transformers and the formulas are within {distance:.1e} of {alone.abs().max():.2f}")
cases = {name: ours(c) for name, c in CASES.items()}
inputs = dict(ids=IDS, positions=POSITIONS, documents=DOCUMENTS, targets=TARGETS, smoothing=SMOOTHING, z=Z)
metadata = dict(format="pt", cases=json.dumps(cases), inputs=json.dumps(inputs))
save_file({k: v.detach().float().contiguous() for k, v in arrays.items()}, HERE / "arrays.safetensors", metadata)
print(len(arrays), "arrays,", (HERE / "arrays.safetensors").stat().st_size, "bytes")
