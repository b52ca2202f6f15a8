"""What is logged, what is shown, how often.

Everything is logged, to stderr or to a file. A message is shown at most once per cause and hour and
says where the log is. Buffer text stays at DEBUG. Must not know LSP: `Reporter` is given a way to show.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lsp_server.errors import ConfigurationError
from lsp_server.options import EDITOR, Problem

logger = logging.getLogger(__name__)

QUIET_S = 3600.0
"""A cause that was shown stays quiet for an hour: long enough not to nag, short enough to remind."""


class Severity(Enum):
    """How a message is shown; the values are logging levels."""

    ERROR = logging.ERROR
    WARNING = logging.WARNING
    INFO = logging.INFO


@dataclass(frozen=True)
class Notice:
    """What the user is told; `str` is all of it, for editors that show messages as they come."""

    severity: Severity
    text: str
    log_place: str = ""
    """Where more is to be read; empty for what the user has just asked for."""
    setting: str = ""
    """The key that is wrong in the editor's settings, if one is."""

    def __str__(self) -> str:
        place = f"{EDITOR}: " if self.setting else ""
        log = f" (log: {self.log_place})" if self.log_place else ""
        return f"codestral-lsp: {place}{self.text}{log}"


class Reporter:
    """Shows messages to the user, rarely."""

    def __init__(
        self,
        show: Callable[[Notice], None],
        log_place: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show
        self._log_place = log_place
        self._clock = clock
        self._shown: dict[str, float] = {}

    def tell(
        self, message: str, severity: Severity = Severity.ERROR, *, cause: str = "", setting: str = ""
    ) -> None:
        """Log and show `message`; if the same cause was shown within the hour, log it at DEBUG and no more.

        Without a `cause`, messages that differ in numbers only (ports, seconds) have the same one.
        """
        cause, now = cause or re.sub(r"\d+", "", message), self._clock()
        fresh = now - self._shown.get(cause, -QUIET_S) >= QUIET_S
        logger.log(severity.value if fresh else logging.DEBUG, "%s", message)
        if fresh:
            self._shown = {it: at for it, at in self._shown.items() if now - at < QUIET_S}
            self._shown[cause] = now
            self._show(Notice(severity, message, self._log_place, setting))

    def answer(self, message: str, severity: Severity = Severity.INFO) -> None:
        """Show what came of something the user has just asked for, each time; it may quote a document."""
        logger.debug("%s", message)
        self._show(Notice(severity, message))

    def tell_problems(self, problems: Sequence[Problem]) -> None:
        """Log every problem with the configuration; show the first and how many more there are.

        Another wrong value is another cause, even if it differs in a number only.
        """
        if not problems:
            return
        for problem in problems[1:]:
            logger.warning("%s", problem)
        more = f", and {len(problems) - 1} more in the log" if len(problems) > 1 else ""
        first = problems[0]
        setting = first.key if first.place == EDITOR else ""
        text = first.message if setting else str(first)
        self.tell(f"{text}{more}", Severity.WARNING, cause=str(first), setting=setting)


def configure_logging(level: str, file: Path | None) -> str:
    """Send log records to `file`, or to stderr; return the place in words.

    Raises ConfigurationError for a file that cannot be written.
    """
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handler = _File(file, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"The log {file} cannot be written ({error.strerror}): choose another with --log-file."
            ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_without_params)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    set_level(level)
    return str(file) if file else "the server's stderr"


class _File(logging.FileHandler):
    """Drops records while the disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def set_level(level: str) -> None:
    """Set the level of our own records; libraries stay at WARNING."""
    logging.getLogger("lsp_server").setLevel(level.upper())


def _without_params(record: logging.LogRecord) -> bool:
    """Keep message parameters, which hold buffer text, out of what pygls writes about errors."""
    if record.name.startswith("pygls") and not logging.getLogger("lsp_server").isEnabledFor(logging.DEBUG):
        record.msg, record.args = str(record.msg).partition("%")[0], ()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and type(error).__module__ == "pygls.exceptions":
        record.exc_info = None  # the answer to a wrong request: nothing is broken here
    return True
