"""The prompt that llama.cpp's server makes of a conversation by the chat template in a file.

Arguments: the folder that holds xllamacpp, and the GGUF file. Messages as JSON on stdin, the prompt after `prompt ` on stdout.
"""

import json
import sys
import urllib.request

sys.path.insert(0, sys.argv[1])
import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[2]
params.n_ctx, params.n_parallel, params.port = 64, 1, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.warmup = False
server = xllamacpp.Server(params)
request = urllib.request.Request(
    server.listening_address + "/apply-template",
    json.dumps({"messages": json.load(sys.stdin)}).encode(),
    {"Content-Type": "application/json"},
)
prompt = json.load(urllib.request.urlopen(request))["prompt"]
print("prompt " + json.dumps(prompt), flush=True)
