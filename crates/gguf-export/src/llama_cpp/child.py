"""llama.cpp behind a pipe: one JSON request a line on stdin, one JSON answer a line on stdout.

A request or answer with "bytes": N is followed by N raw bytes. The library is the shared object of the Python package
xllamacpp, which exports llama.cpp's C interface; its path is the only argument. Nothing but the standard library.
"""

import ctypes as c
import json
import sys

TYPE_F32 = 0


class Params(c.Structure):
    """A parameter struct passed by value, larger than any version of it; fields are edited as 32-bit words."""

    _fields_ = [("words", c.c_int32 * 256)]


class TypeTraits(c.Structure):
    """The head of ggml_type_traits."""

    _fields_ = [
        ("name", c.c_char_p),
        ("block_len", c.c_int64),
        ("block_len_interleaved", c.c_int64),
        ("block_bytes", c.c_size_t),
        ("is_quantized", c.c_bool),
        ("to_float", c.CFUNCTYPE(None, c.c_void_p, c.c_void_p, c.c_int64)),
    ]


class Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.c_void_p),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


# Words of llama_context_params, and what they hold by default: checked before they are changed.
N_CTX, N_BATCH, N_UBATCH, N_THREADS, N_THREADS_BATCH, FLASH_ATTN, TYPE_K, TYPE_V = 0, 1, 2, 7, 8, 13, 26, 27
DEFAULTS = {N_CTX: 512, N_BATCH: 2048, N_UBATCH: 512, N_THREADS: 4, N_THREADS_BATCH: 4, FLASH_ATTN: -1, TYPE_K: 1, TYPE_V: 1}


def load_library(path):
    lib = c.CDLL(path)

    def declare(name, result, *arguments):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments

    pointer, text, i32, i64 = c.c_void_p, c.c_char_p, c.c_int32, c.c_int64
    declare("llama_backend_init", None)
    declare("llama_model_default_params", Params)
    declare("llama_context_default_params", Params)
    declare("llama_model_load_from_file", pointer, text, Params)
    declare("llama_init_from_model", pointer, pointer, Params)
    declare("llama_model_get_vocab", pointer, pointer)
    declare("llama_vocab_n_tokens", i32, pointer)
    declare("llama_vocab_is_eog", c.c_bool, pointer, i32)
    declare("llama_tokenize", i32, pointer, text, i32, pointer, i32, c.c_bool, c.c_bool)
    declare("llama_token_to_piece", i32, pointer, i32, text, i32, i32, c.c_bool)
    declare("llama_batch_init", Batch, i32, i32, i32)
    declare("llama_batch_free", None, Batch)
    declare("llama_decode", i32, pointer, Batch)
    declare("llama_get_logits_ith", c.POINTER(c.c_float), pointer, i32)
    declare("llama_get_memory", pointer, pointer)
    declare("llama_memory_clear", None, pointer, c.c_bool)
    declare("ggml_quantize_chunk", c.c_size_t, c.c_int, pointer, pointer, i64, i64, i64, pointer)
    declare("ggml_get_type_traits", c.POINTER(TypeTraits), c.c_int)
    declare("ggml_row_size", c.c_size_t, c.c_int, i64)
    log = c.CFUNCTYPE(None, c.c_int, text, pointer)
    lib.keep_log = log(keep_error)
    declare("llama_log_set", None, log, pointer)
    lib.llama_log_set(lib.keep_log, None)
    lib.llama_backend_init()
    return lib


ERRORS = []


def keep_error(level, message, _):
    if level == 4:
        ERRORS.append(message.decode("utf-8", "replace").strip())


class Model:
    def __init__(self, lib, path, n_ctx, n_threads):
        self.lib = lib
        self.model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        if not self.model:
            raise ValueError("llama.cpp refuses the file: " + " | ".join(ERRORS[-3:]))
        params = lib.llama_context_default_params()
        for word, value in DEFAULTS.items():
            if params.words[word] != value:
                raise ValueError("this build of llama.cpp lays its context parameters out differently")
        params.words[N_CTX] = params.words[N_BATCH] = params.words[N_UBATCH] = n_ctx
        params.words[N_THREADS] = params.words[N_THREADS_BATCH] = n_threads
        # An exact comparison wants plain attention and an F32 cache.
        params.words[FLASH_ATTN] = 0
        params.words[TYPE_K] = params.words[TYPE_V] = TYPE_F32
        self.context = lib.llama_init_from_model(self.model, params)
        if not self.context:
            raise ValueError("llama.cpp makes no context: " + " | ".join(ERRORS[-3:]))
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        self.n_ctx = n_ctx
        self.position = 0

    def tokenize(self, text):
        data = text.encode()
        ids = (c.c_int32 * (len(data) + 8))()
        count = self.lib.llama_tokenize(self.vocab, data, len(data), ids, len(ids), False, True)
        if count < 0:
            raise ValueError("llama.cpp does not tokenize this text")
        return list(ids[:count])

    def piece(self, token):
        buffer = c.create_string_buffer(1024)
        length = self.lib.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, True)
        return buffer.raw[: max(length, 0)]

    def clear(self):
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.context), True)
        self.position = 0

    def decode(self, tokens, all_rows):
        """Feeds tokens, and gives pointers to the logits after each of them, or after the last."""
        if not tokens or self.position + len(tokens) > self.n_ctx:
            raise ValueError(f"{self.position} + {len(tokens)} tokens in a context of {self.n_ctx}")
        if any(not 0 <= token < self.n_vocab for token in tokens):
            raise ValueError("a token outside the vocabulary")
        batch = self.lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, self.position + i
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
            batch.logits[i] = all_rows or i + 1 == len(tokens)
        status = self.lib.llama_decode(self.context, batch)
        self.lib.llama_batch_free(batch)
        if status:
            raise ValueError(f"llama_decode gives {status}")
        self.position += len(tokens)
        rows = range(len(tokens)) if all_rows else [len(tokens) - 1]
        return [self.lib.llama_get_logits_ith(self.context, i) for i in rows]

    def logits(self, tokens):
        self.clear()
        return b"".join(c.string_at(row, 4 * self.n_vocab) for row in self.decode(tokens, True))

    def generate(self, tokens, limit):
        """The likeliest token again and again, until an end-of-generation token or the limit."""
        self.clear()
        limit = min(limit, self.n_ctx - len(tokens))
        answer, pieces, end = [], b"", None
        row = self.decode(tokens, False)[0]
        while len(answer) < limit:
            values = row[: self.n_vocab]
            token = values.index(max(values))
            if self.lib.llama_vocab_is_eog(self.vocab, token):
                end = token
                break
            answer.append(token)
            pieces += self.piece(token)
            if len(answer) < limit:
                row = self.decode([token], False)[0]
        return answer, end, pieces


class Server:
    def __init__(self, lib):
        self.lib = lib
        self.model = None

    def open(self, request, _):
        self.model = Model(self.lib, request["path"], request["n_ctx"], request["n_threads"])
        return {"vocab_size": self.model.n_vocab}, b""

    def tokenize(self, request, _):
        return {"tokens": self.model.tokenize(request["text"])}, b""

    def detokenize(self, request, _):
        return {}, b"".join(self.model.piece(token) for token in request["tokens"])

    def logits(self, request, _):
        return {}, self.model.logits(request["tokens"])

    def generate(self, request, _):
        tokens, end, text = self.model.generate(request["tokens"], request["limit"])
        return {"tokens": tokens, "end": end}, text

    def quantize(self, request, data):
        """ggml_quantize_chunk, the reference for every block type."""
        row_len, kind = request["row_len"], request["type"]
        rows = len(data) // (4 * row_len)
        out = c.create_string_buffer(self.lib.ggml_row_size(kind, row_len) * rows)
        written = self.lib.ggml_quantize_chunk(kind, data, out, 0, rows, row_len, None)
        return {}, out.raw[:written]

    def dequantize(self, request, data):
        """The numbers that the reference reads from blocks."""
        traits = self.lib.ggml_get_type_traits(request["type"]).contents
        if len(data) % traits.block_bytes:
            raise ValueError("part of a block")
        n = len(data) // traits.block_bytes * traits.block_len
        out = c.create_string_buffer(4 * n)
        traits.to_float(c.cast(c.c_char_p(data), c.c_void_p), c.cast(out, c.c_void_p), n)
        return {}, out.raw


def main():
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    server = Server(load_library(sys.argv[1]))
    for line in requests:
        request = json.loads(line)
        data = requests.read(request.get("bytes", 0))
        try:
            answer, payload = getattr(server, request["do"])(request, data)
        except Exception as error:  # whatever it is, the caller hears of it
            answer, payload = {"error": f"{error}"}, b""
        answer["bytes"] = len(payload)
        answers.write(json.dumps(answer).encode() + b"\n" + payload)
        answers.flush()


main()
