"""Weights: what there is, where it is, how it gets here, what fits. Knows nothing of the front end."""
