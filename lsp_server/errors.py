"""The exception tree. Imports nothing of ours.

CodestralLspError
└── UserFacingError            the message is one sentence that is safe to show and says what to do
    ├── ConfigurationError     an option, a config file or a command line argument is wrong
    ├── ModelError             the weights: not found, not a GGUF, wrong checksum, not downloadable
    │   └── DownloadError      no network, no space, the source refused
    └── BackendError           a model could not be reached or refused the request
        ├── BackendUnavailable not reachable right now: refused, timed out, crashed; trying later may help
        │   ├── BackendLoading the server is there and still loads the model
        │   └── RateLimited    the server wants fewer requests; `wait_s` says for how long
        ├── BackendRejected    the server answered and said no: key, model, request
        │   └── RequestRejected no to this one request (too long, not acceptable); the next one may do
        │       ├── SuffixRefused  no text after the cursor in this way; another way may do
        │       └── ReplyTooLong   what a reply has to repeat is longer than it may be; nothing was written
        └── TextWithheld       the privacy rules keep this text from this backend; nothing was sent
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class CodestralLspError(Exception):
    """Base of everything this package raises on purpose."""


class UserFacingError(CodestralLspError):
    """An error whose message is one clear sentence for the user; details belong in the log."""

    def bare(self) -> Self:
        """Return the error without the frames it went through, which keep all their text: for keeping it."""
        copy = type(self).__new__(type(self), *self.args)
        vars(copy).update(vars(self))
        return copy


class ConfigurationError(UserFacingError):
    """An option, a configuration file or an argument cannot be used."""


class ModelError(UserFacingError):
    """Model weights cannot be found, read or trusted."""


class DownloadError(ModelError):
    """Model weights cannot be fetched; what was fetched so far is kept for resuming."""


class BackendError(UserFacingError):
    """A model could not be asked."""


class BackendUnavailable(BackendError):
    """The server behind a backend cannot be reached now."""


class BackendLoading(BackendUnavailable):
    """The server behind a backend is loading the model."""


class RateLimited(BackendUnavailable):
    """The server behind a backend wants no request for `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class BackendRejected(BackendError):
    """The server behind a backend refused the request; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RequestRejected(BackendRejected):
    """The server behind a backend refused this request for what is in it; the next one may do."""


class SuffixRefused(RequestRejected):
    """The server or its model cannot fill in the middle in the way it was asked to; another way may do."""


class ReplyTooLong(RequestRejected):
    """The reply has no room for the text that it has to repeat: known before the model writes a word."""


class TextWithheld(BackendError):
    """The privacy rules do not let a request go to where a backend would send it."""
