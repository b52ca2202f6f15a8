"""The model process: llama.cpp behind Mistral's HTTP API. Knows nothing of the front end.

app (HTTP) -> scheduler (one owner thread) -> runner -> slots (KV cache) and decoder (llama.cpp), with
fim and chat_format (token ids), draft, healing and vocabulary beside it; launcher starts the process and
finds it again. Only this package imports llama_cpp, and `launcher` must not.
"""
