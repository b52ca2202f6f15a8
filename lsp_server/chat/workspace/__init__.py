"""What a chat may show a model of the workspace's files, and what the model may look at by itself."""
