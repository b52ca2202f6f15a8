"""The server in real editors: one file of scenarios, one adapter per editor."""
