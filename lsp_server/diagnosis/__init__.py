"""What can be wrong with an installation, one module per area; each check returns findings.

installation -> configuration -> weights -> machine -> trial (asks the model). Knows nothing of
terminals and of LSP: `cli/doctor` orders the checks and prints what they find.
"""
