"""Which workspaces the user trusts to set everything, and not only what is harmless.

Trust is in texts and not in a folder: in the workspace's configuration file and its prompt files, all
together. Where one of them has changed since, came or went, by a pull for instance, nothing is trusted.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server import own_folders, prompt_files
from lsp_server.errors import ConfigurationError
from lsp_server.own_folders import TRUST
from lsp_server.settings import workspace_file, workspace_prompts_folder

log = logging.getLogger(__name__)

FILE_VARIABLE = TRUST.variable
"""Environment variable that names another list of trusted workspaces."""


def list_file() -> Path:
    """Return where the list is kept, whether it exists or not."""
    return TRUST.given() or own_folders.config() / "trusted.json"


@dataclass(frozen=True)
class Contents:
    """What a workspace brings along that needs trust."""

    config: bytes | None
    """Its configuration file; None if it has none."""
    prompts: Mapping[str, bytes] = field(default_factory=dict)
    """Its prompt files, by name."""

    def digest(self) -> str | None:
        """Return the SHA-256 of all of it; None if there is nothing."""
        if self.prompts:
            names = [[name, _sha256(self.prompts[name])] for name in sorted(self.prompts)]
            config = None if self.config is None else _sha256(self.config)
            # No TOML has a zero byte, so this is never the digest of a configuration file.
            return _sha256(b"\0" + json.dumps([config, names]).encode())
        return None if self.config is None else _sha256(self.config)


def contents(root: Path, config: bytes | None = None) -> Contents:
    """Read what the workspace at `root` brings along; `config` is for who has read that file already.

    Raises OSError for a file that cannot be read, and for a prompt file that is a link out of the workspace.
    """
    if config is None:
        with suppress(FileNotFoundError):
            config = prompt_files.content(workspace_file(root))
    home = root.resolve()
    prompts = {}
    for path in prompt_files.names(workspace_prompts_folder(root)):
        if not path.resolve().is_relative_to(home):
            raise OSError(errno.EINVAL, "it is a link that leads out of the workspace", str(path))
        prompts[path.name] = prompt_files.content(path)
    return Contents(config, prompts)


def is_trusted(root: Path, content: bytes | None = None) -> bool:
    """Say whether the files of the workspace at `root` are trusted as they are.

    Who has read the configuration file already gives its `content`, so that what is judged is what is used.
    """
    known = listed().get(_key(root))
    if known is None:
        return False
    try:
        return contents(root, content).digest() == known
    except OSError:
        return False


def add(root: Path, seen: Contents | bytes | None = None) -> None:
    """Trust the files at `root` as they are, or as the user has `seen` them: all, or the first alone."""
    try:
        found = seen if isinstance(seen, Contents) else contents(root, seen)
    except OSError as error:
        where = error.filename or workspace_file(root)
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}.") from error
    digest = found.digest()
    if digest is None:
        raise ConfigurationError(f"{workspace_file(root)} cannot be read: there is no such file.")
    with own_folders.alone(TRUST, list_file()):
        _write({**listed(), _key(root): digest})


def remove(root: Path) -> bool:
    """Trust the workspace at `root` no longer, and say whether it was in the list."""
    key = _key(root)
    if key not in listed():
        return False
    with own_folders.alone(TRUST, list_file()):
        _write({folder: digest for folder, digest in listed().items() if folder != key})
    return True


def listed() -> dict[str, str]:
    """Return the trusted folders, each with the digest of what is trusted there."""
    try:
        found = json.loads(list_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read (%s): no workspace is trusted", list_file(), type(error).__name__)
        return {}
    if not isinstance(found, dict):
        log.warning("%s is not a list of trusted workspaces: none is trusted", list_file())
        return {}
    return {folder: digest for folder, digest in found.items() if isinstance(digest, str)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _key(root: Path) -> str:
    # One folder has many spellings: links, and capitals where the file system knows none.
    return os.path.normcase(root.resolve())


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
