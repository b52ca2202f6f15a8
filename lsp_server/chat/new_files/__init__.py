"""Where tests belong in a project, and how they go into what is there."""
