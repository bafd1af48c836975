"""Asks Hugging Face's `transformers` whether a grown folder computes what the small one does, in float64.

    pip install torch transformers
    cargo run --release --example grow -- --checkpoint OLD --to LARGER.json --out NEW
    python3 compare_transformers.py OLD NEW

OLD is any LLaMA- or Qwen3-shaped folder; the tokens are random, the logits those of the tokens that both know.
"""

import sys

import torch
import transformers


def logits(folder, tokens):
    # The stored numbers, whatever `config.json` calls their format, and no rounding after that.
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).double().eval()
    with torch.no_grad():
        return model(tokens).logits


old, new = sys.argv[1:]
vocabulary = transformers.AutoConfig.from_pretrained(old).vocab_size
torch.manual_seed(0)
tokens = torch.randint(0, vocabulary, (4, 24))
before, after = logits(old, tokens), logits(new, tokens)[..., :vocabulary]
largest, apart = before.abs().max().item(), (before - after).abs().max().item()
print(f"largest logit {largest:.3f}, largest difference {apart:.2e} ({apart / largest:.1e} of it)")
sys.exit(0 if apart < 1e-5 * largest else 1)
