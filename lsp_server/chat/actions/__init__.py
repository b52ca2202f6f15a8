"""What can be asked for: prompt files, where they make sense, and what they work on there."""
