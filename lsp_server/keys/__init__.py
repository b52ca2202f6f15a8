"""API keys: where they are kept and found. Knows nothing of the servers that want them."""
