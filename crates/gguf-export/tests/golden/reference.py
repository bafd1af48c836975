"""Quantizes files with llama.cpp's own quantizer and prints the SHA-256 of each result: the golden hashes of this folder.

    GOLDEN_INPUTS=DIR cargo test --release -p gguf-export golden      # writes the inputs
    python3 reference.py LIBLLAMA DIR > llama_quantize.txt

LIBLLAMA is libllama.so of a stock x86-64 build (cmake -DGGML_NATIVE=OFF; ninja llama): the prebuilt xllamacpp does not
export the quantizer. The hashes here are of the copy vendored in llama-cpp-python 0.3.36.
"""

import ctypes as c
import hashlib
import pathlib
import sys

FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11,
    "Q3_K_M": 12, "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "BF16": 32,
}  # fmt: skip


class Params(c.Structure):
    """llama_model_quantize_params: the first two words are the number of threads and the file type."""

    _fields_ = [("words", c.c_int32 * 64)]


llama = c.CDLL(sys.argv[1])
llama.llama_model_quantize_default_params.restype = Params
llama.llama_model_quantize.argtypes = [c.c_char_p, c.c_char_p, c.POINTER(Params)]
quiet = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)(lambda *_: None)
llama.llama_log_set(quiet, None)
params = llama.llama_model_quantize_default_params()
assert params.words[1] == FILE_TYPES["Q8_0"], "another layout of the parameters"
folder = pathlib.Path(sys.argv[2])
for source in sorted(folder.glob("*.gguf")):
    for name, params.words[1] in FILE_TYPES.items():
        out = folder / "out"
        status = llama.llama_model_quantize(str(source).encode(), str(out).encode(), c.byref(params))
        assert status == 0, (source, name)
        print(source.stem, name, hashlib.sha256(out.read_bytes()).hexdigest())
        out.unlink()
