"""Standard output and error as they are elsewhere: other encodings, full disks, readers that have left.

Owns that a command ends in one sentence where its output cannot be written, and that a message on standard
error never ends it. Text that an encoding does not have is written with replacements.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

from lsp_server.errors import CodestralLspError, UserFacingError


class OutputFailed(UserFacingError):
    """Standard output cannot be written."""


class ReaderGone(CodestralLspError):
    """Whoever reads standard output wants no more of it, such as `head`."""


@contextmanager
def prepared() -> Generator[None, None, None]:
    """Replace the standard streams of this process by ones that fail in order.

    Raises OutputFailed or ReaderGone at the first write that fails, at the latest in the end; what is written
    afterwards is dropped.
    """
    _occupy_descriptors()
    sys.stdout = _stream(sys.stdout, 1, "replace", is_result=True)
    sys.stderr = _stream(sys.stderr, 2, "backslashreplace", is_result=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stdout.flush()


def _occupy_descriptors() -> None:
    """Let no file be opened as 0, 1 or 2 where these were closed: C code would read and print there.

    Standard input is empty then, and writing to standard output fails, as it would have done.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        if not _is_open(descriptor):
            os.open(os.devnull, mode)  # takes the lowest that is free
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _stream(stream: TextIO | None, descriptor: int, errors: str, *, is_result: bool) -> TextIO:
    binary = getattr(stream, "buffer", None)
    raw = getattr(binary, "raw", binary)
    if stream is not None and not isinstance(raw, io.FileIO):  # a console of Windows, or a test's
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
        return stream
    return _Text(
        io.BufferedWriter(_Descriptor(descriptor, is_result=is_result)),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=errors,
        line_buffering=not is_result or bool(stream and stream.isatty()),
    )


class _Text(io.TextIOWrapper):
    """Hides its buffer, through which click would write UTF-8 where ASCII is asked for."""

    @property
    def buffer(self) -> io.BufferedWriter:
        raise AttributeError("buffer")


class _Descriptor(io.FileIO):
    """A file descriptor that fails once and then drops what it is given."""

    def __init__(self, descriptor: int, *, is_result: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._is_result = is_result
        self._has_failed = False

    def write(self, data: object) -> int:
        """Write some of `data`; wait where the descriptor does not."""
        size = len(memoryview(data))  # type: ignore[arg-type]  # BufferedWriter gives buffers
        while not self._has_failed:
            try:
                written = super().write(data)  # type: ignore[arg-type]
            except OSError as error:
                self._has_failed = True
                if self._is_result:
                    raise _failure(error) from error
                break
            if written is not None:
                return written
            select.select([], [self], [])  # who started us has made it non-blocking
        return size


def _failure(error: OSError) -> CodestralLspError:
    # Windows calls a pipe without a reader an invalid argument.
    if error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL):
        return ReaderGone("Nobody reads standard output any more.")
    reason = "standard output is closed" if error.errno == errno.EBADF else error.strerror or str(error)
    return OutputFailed(f"The output cannot be written: {reason}.")
