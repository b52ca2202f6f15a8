"""How good code actions are with a real model: see `__main__`."""
