"""What a model says, taken apart while it streams."""
