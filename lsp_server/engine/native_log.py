"""llama.cpp's own log: to our logger, and its last errors to whoever words a message for the user."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import re
from collections import deque
from collections.abc import Iterator, Sequence

import llama_cpp

logger = logging.getLogger(__name__)

# enum ggml_log_level, ggml.h; a line of level "continued" is a progress dot
_ERROR, _CONTINUED = 4, 5

_last_errors: deque[str] = deque(maxlen=20)
"""llama.cpp's log is one for the process, so this is too; 20 lines are more than one failure writes."""

_SOURCE = re.compile(r"^\w+: (error loading model: )?(\w+: )?")
"""What precedes the message in `llama_model_load: error loading model: tensor 'x' data is not …`."""


@functools.cache
def capture() -> None:
    """Take llama.cpp's log from standard error, for good."""
    llama_cpp.llama_log_set(_receive, ctypes.c_void_p(0))


@contextlib.contextmanager
def errors() -> Iterator[Sequence[str]]:
    """Collect the errors llama.cpp logs meanwhile."""
    _last_errors.clear()
    yield _last_errors


def reason(lines: Sequence[str]) -> str:
    """Return the first error, where llama.cpp says what is wrong: later ones what failed because of it."""
    return _SOURCE.sub("", lines[0]) if lines else "llama.cpp gives no reason"


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _receive(level: int, text: bytes, _data: object) -> None:
    if level == _CONTINUED:
        return
    line = text.decode("utf-8", "replace").strip()
    if level == _ERROR and line:
        _last_errors.append(line)
    # Errors too: to llama.cpp every aborted batch is one. Real ones reach the log with our own.
    logger.debug("%s", line)
