"""Makes the folders beside it with Hugging Face's own tools: random models of two architectures, their tokenizers, and
what `transformers` computes in float64 and tokenizes.

    pip install torch transformers && python3 make.py
"""

import json
import pathlib

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
SPANISH = (
    "Si llueve, me mojo. Todos los hombres son mortales; Sócrates es un hombre, luego Sócrates es mortal. "
    "En 1879 Frege publicó la Begriffsschrift. ¿Nieva o llueve? ¡Ni una cosa ni la otra! El niño comió 12345 piñas."
)
TEXTS = [
    "Si llueve, me mojo.",
    "<s>¿Nieva o llueve?</s>",
    "El niño comió 12345 piñas, ¡y 007 más!",
    "p ∧ q → r\n\n  ¬(p ∨ q)\t\r\n",
    "it's THEY'LL we'Re  I'D 'tis",
    "中文 😀 e\u0301 Ⅳ ١٢٣ \u2003 fin",
]
# Qwen's cut of a text.
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% for message in messages %}{{ '<s>' + message['role'] + '\n' + message['content'] + '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"
)


def tokenizer(qwen):
    result = tokenizers.Tokenizer(models.BPE())
    if qwen:
        result.normalizer = normalizers.NFC()
        split = pre_tokenizers.Split(Regex(QWEN), "isolated")
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        result.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    else:
        result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    special = ["<unk>", "<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=310, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    result.train_from_iterator([SPANISH] * 4, trainer)
    if not qwen:
        # As Llama's: a token before every text.
        result.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    result = transformers.PreTrainedTokenizerFast(tokenizer_object=result, **names)
    result.chat_template = TEMPLATE
    return result


def save(name, model, tokenizer, **options):
    """The folder as `save_pretrained` writes it, and the answers in float64 to a few tokens and texts."""
    folder = HERE / name
    model.eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Initialization leaves norms at 1 and biases at 0: every number must count.
            mean = 1.0 if "norm" in parameter_name else 0.0
            parameter.copy_(mean + 0.2 * torch.randn(parameter.shape))
    model.to(torch.bfloat16).save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    ids = torch.randint(0, model.config.vocab_size, (1, 24))
    # Read anew: the cast to BF16 has rounded the RoPE frequencies as well.
    model = type(model).from_pretrained(folder, dtype=torch.float32).to(torch.float64)
    with torch.no_grad():
        logits = model(ids).logits[0]
    save_file({"tokens": ids[0], "logits": logits.float().contiguous()}, folder / "expected.safetensors")
    texts = [{"text": text, "tokens": tokenizer.encode(text, add_special_tokens=False)} for text in TEXTS]
    chat = [{"role": "user", "content": "¿Llueve?"}, {"role": "assistant", "content": "Sí."}]
    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    expected = {"texts": texts, "chat": chat, "prompt": prompt}
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


torch.manual_seed(1)
sizes = dict(
    vocab_size=312, hidden_size=32, intermediate_size=88, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
)  # fmt: skip
llama = transformers.LlamaForCausalLM(
    transformers.LlamaConfig(
        **sizes, rms_norm_eps=1e-5, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
    )
)
save("tiny_llama", llama, tokenizer(qwen=False), max_shard_size="60KB")
qwen3 = transformers.Qwen3ForCausalLM(
    transformers.Qwen3Config(
        **sizes, head_dim=16, rope_theta=1e6, rms_norm_eps=1e-6, tie_word_embeddings=True
    )
)
save("tiny_qwen3", qwen3, tokenizer(qwen=True))
# Last, so that the draws of the others stay what they were.
plain = transformers.LlamaForCausalLM(
    transformers.LlamaConfig(**sizes, rms_norm_eps=1e-5, tie_word_embeddings=False)
)
save("tiny_llama_plain", plain, tokenizer(qwen=False), max_shard_size="60KB")
