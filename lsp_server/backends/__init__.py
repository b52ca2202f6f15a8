"""How a model is reached. Knows nothing of LSP or of documents."""
