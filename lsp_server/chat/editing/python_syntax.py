"""What Python itself says of Python code: the grammar of the syntax tree takes much that Python does not.

An empty body, `print x`, `return` outside of a function: none of these is an error there. Nothing is run.
"""

from __future__ import annotations

import threading
import warnings

_MOST_CHARS = 60_000  # compiling holds the interpreter's lock, 60 ms for this much; a completion has to wait
_one_at_a_time = threading.Lock()  # `catch_warnings` changes what all threads see


def syntax_error(text: str) -> tuple[int, str] | None:
    """Return the line and the reason of the first error; None if there is none, or it is not known."""
    if len(text) > _MOST_CHARS:
        return None
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<reply>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return max(0, (error.lineno or 1) - 1), error.msg
    except (ValueError, RecursionError, MemoryError):  # a null byte, nesting that no code has
        return None
    return None
