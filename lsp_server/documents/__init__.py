"""What the front end knows of a text: snapshots, positions, languages, syntax. Pure: no I/O, no LSP types."""
