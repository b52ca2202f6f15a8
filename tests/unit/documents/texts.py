"""Texts that positions go wrong in: every line end, every width, and what only looks like a line end."""

from hypothesis import strategies as st

PIECES = (
    "a",
    "bc ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "é",
    "→",
    "😀",
    "👩‍👩‍👧",
    "\x0c",
    "\x0b",
    "\u2028",
    "\x85",
    "\ud83d",
    "",
)
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
