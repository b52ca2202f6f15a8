"""What may leave this machine, and to where. Pure: paths and text in, verdicts and text out."""
