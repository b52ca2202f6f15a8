"""The LSP layer, one module per method: the only code beside `server` that imports pygls or lsprotocol.

A handler takes a frozen snapshot, converts the position once, calls the domain, converts back.
"""
