"""Which files of a folder are prompt files, and their bytes. Knows nothing of what is in them."""

from __future__ import annotations

import errno
from pathlib import Path

LONGEST_BYTES = 1 << 16
"""Of one file: four times what the model's whole context holds by default."""
MOST_FILES = 200
"""Of one folder: a menu of that length is of no use, and a cloned repository may hold anything."""


def names(folder: Path) -> list[Path]:
    """Return the prompt files of a folder, by name; none if there is no such folder."""
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".md" and path.stem.lower() != "readme"]
    except OSError:
        return []
    return sorted(found)[:MOST_FILES]


def content(path: Path) -> bytes:
    """Return the bytes of a file; raises OSError, too, for what would take without end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    with path.open("rb") as file:
        found = file.read(LONGEST_BYTES + 1)
    if len(found) > LONGEST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {LONGEST_BYTES} bytes", str(path))
    return found
