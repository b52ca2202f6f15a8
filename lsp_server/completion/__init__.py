"""Buffer to ghost text, one module per stage, in this order:

    trigger -> context -> request -> cache -> schedule -> (backend) -> truncate -> postprocess

`completer` strings them together. Knows nothing of LSP.
"""
