"""The model process: llama.cpp behind Mistral's HTTP API. Knows nothing of the front end.

app (HTTP) -> scheduler (one owner thread) -> runner -> slots (KV cache) and decoder (llama.cpp), with
fim (token ids), healing and vocabulary beside it; launcher starts the process and finds it again.
Only this package imports llama_cpp, and `launcher` must not.
"""

import os

# llama.cpp's threads wait for each other some thousand times a token. By default OpenMP lets them spin,
# which is fastest on an idle machine; while anything else uses the cores (a compiler, a test run), each
# wait lasts until the scheduler comes round, and a token takes seconds instead of some 40 ms.
# Here, because OpenMP reads it once, when llama_cpp is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
