"""Quantizes files with llama.cpp's own quantizer and prints the SHA-256 of each result: the golden hashes of this folder.

    GOLDEN_INPUTS=DIR cargo test --release -p gguf-export golden      # writes the inputs
    python3 reference.py LLAMA_QUANTIZE DIR > llama_quantize.txt

LLAMA_QUANTIZE is the tool of a stock x86-64 build (cmake -DGGML_NATIVE=OFF; ninja llama-quantize): the prebuilt
xllamacpp does not export the quantizer. The hashes here are of the copy vendored in llama-cpp-python 0.3.36. COPY is what
`ollama create` asks for; `NAME+imatrix` is NAME by the importance matrix NAME.imatrix.
"""

import hashlib
import pathlib
import subprocess
import sys

FILE_TYPES = "F32 F16 Q4_0 Q4_1 Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K BF16".split()

tool, folder = pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2])


def line(source, label, file_type, *options):
    """The path of an importance matrix goes into the file: so from its own folder."""
    subprocess.run([tool, *options, source.name, "out", file_type], cwd=folder, check=True, capture_output=True)
    out = folder / "out"
    print(label, file_type, hashlib.sha256(out.read_bytes()).hexdigest())
    out.unlink()


for source in sorted(folder.glob("*.gguf")):
    for file_type in [*FILE_TYPES, "COPY"]:
        line(source, source.stem, file_type)
    if source.with_suffix(".imatrix").exists():
        for file_type in FILE_TYPES:
            line(source, source.stem + "+imatrix", file_type, "--imatrix", source.stem + ".imatrix")
