"""Weights: what there is, where it is, how it gets here and whether it fits. Knows nothing of the front end."""
