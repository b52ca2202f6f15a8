"""The exception tree. Imports nothing of ours.

CodestralLspError
└── UserFacingError            the message is one sentence that is safe to show and says what to do
    ├── ConfigurationError     an option, a config file or a command line argument is wrong
    ├── ModelError             the weights: not found, not a GGUF, wrong checksum, not downloadable
    │   └── DownloadError      no network, no space, the source refused
    └── BackendError           a model could not be reached or refused the request
        ├── BackendUnavailable not reachable right now: refused, timed out, crashed; trying later may help
        └── BackendRejected    the server answered and said no: key, model, request
"""

from __future__ import annotations


class CodestralLspError(Exception):
    """Base of everything this package raises on purpose."""


class UserFacingError(CodestralLspError):
    """An error whose message is one clear sentence for the user; details belong in the log."""


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


class BackendRejected(BackendError):
    """The server behind a backend refused the request; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
