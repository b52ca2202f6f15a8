"""What the model is asked, in words: context within a budget, variables, messages."""
