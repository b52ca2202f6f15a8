"""Which workspaces the user trusts to set everything, and not only what is harmless.

Trust is in a text and not in a folder: a file that has changed since, by a pull for instance, is not trusted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from lsp_server.errors import ConfigurationError
from lsp_server.settings import workspace_file

log = logging.getLogger(__name__)

FILE_VARIABLE = "CODESTRAL_LSP_TRUST"
"""Environment variable that names another list of trusted workspaces."""


def list_file() -> Path:
    """Return where the list is kept, whether it exists or not."""
    if given := os.environ.get(FILE_VARIABLE):
        return Path(given).expanduser().absolute()
    return platformdirs.user_config_path("codestral-lsp", appauthor=False) / "trusted.json"


def is_trusted(root: Path, content: bytes | None = None) -> bool:
    """Say whether the configuration file of the workspace at `root` is trusted as it is.

    Who has read the file already gives its `content`, so that what is judged is what is used.
    """
    known = listed().get(_key(root))
    if known is None:
        return False
    if content is None:
        try:
            content = workspace_file(root).read_bytes()
        except OSError:
            return False
    return hashlib.sha256(content).hexdigest() == known


def add(root: Path, content: bytes | None = None) -> None:
    """Trust the configuration file at `root` as it is, or with the `content` that the user has seen."""
    if content is None:
        try:
            content = workspace_file(root).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{workspace_file(root)} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(content).hexdigest()
    with _alone():
        _write({**listed(), _key(root): digest})


def remove(root: Path) -> bool:
    """Trust the workspace at `root` no longer, and say whether it was in the list."""
    key = _key(root)
    if key not in listed():
        return False
    with _alone():
        _write({folder: digest for folder, digest in listed().items() if folder != key})
    return True


def listed() -> dict[str, str]:
    """Return the trusted folders, each with the SHA-256 of the file that is trusted there."""
    try:
        found = json.loads(list_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read (%s): no workspace is trusted", list_file(), type(error).__name__)
        return {}
    if not isinstance(found, dict):
        log.warning("%s is not a list of trusted workspaces: none is trusted", list_file())
        return {}
    return {folder: digest for folder, digest in found.items() if isinstance(digest, str)}


def _key(root: Path) -> str:
    # One folder has many spellings: links, and capitals where the file system knows none.
    return os.path.normcase(root.resolve())


@contextmanager
def _alone() -> Iterator[None]:
    import filelock  # most starts only read the list

    try:
        list_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with filelock.FileLock(f"{list_file()}.lock"):
            yield
    except OSError as error:
        raise ConfigurationError(f"{list_file()} cannot be written: {error.strerror or error}.") from error


def _write(folders: dict[str, str]) -> None:
    target = list_file().resolve()  # a link stays a link
    # mkstemp makes files of mode 0600, and a file that takes the place of another brings its mode along.
    handle, temporary = tempfile.mkstemp(prefix=".trusted-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(folders, file, indent=2)
            file.write("\n")
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
