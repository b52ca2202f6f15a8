"""What of a request may go to a machine that is not this one. Strings in, strings out: knows no backend.

The rules of one `privacy` section of the settings, for the backends whose destination is not this machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from lsp_server.errors import TextWithheld
from lsp_server.privacy.exclusions import Exclusions, place_of
from lsp_server.privacy.secret_scan import Redaction, redact
from lsp_server.settings import PrivacySettings

_CONFIG_SUFFIXES = frozenset(
    {
        ".yaml",
        ".yml",
        ".ini",
        ".cfg",
        ".conf",
        ".cnf",
        ".properties",
        ".env",
        ".toml",
        ".txt",
        ".inf",
        ".reg",
        ".service",
        ".tf",
        ".dockerfile",
        ".rc",
        ".config",
        ".dotenv",
        ".list",
        ".editorconfig",
        ".plist",
        ".hcl",
        ".nomad",
    }
)
"""Files in which values need no quotes; so may they in those without a suffix, such as `Dockerfile`."""


@dataclass(frozen=True)
class ClearedFim:
    """A fill-in-the-middle request that may be sent."""

    prefix: str
    suffix: str
    withheld: tuple[str, ...] = ()
    """What was left out, one phrase each; never the text itself."""


@dataclass(frozen=True)
class ClearedTexts:
    """Texts that may be sent."""

    texts: tuple[str, ...]
    withheld: tuple[str, ...] = ()


class PrivacyRules:
    """Clears text for other machines, or refuses to."""

    def __init__(self, settings: PrivacySettings) -> None:
        self._exclusions = Exclusions(settings.excluded)
        self._scans = settings.scan_secrets

    def warm_up(self) -> None:
        """Load what the first request would wait for; takes a third of a second."""
        self._exclusions.why(".")
        if self._scans:
            redact("-" * 40, None)  # long enough for every detector to have a look

    def why_excluded(self, document: str) -> str | None:
        """Return why nothing of `document` may be sent, if so: for status lines and for gathering context."""
        return self._exclusions.why(document)

    def clear_fim(self, prefix: str, suffix: str, document: str | None) -> ClearedFim:
        """Return the text around a cursor without its secrets.

        Raises `TextWithheld` in an excluded document and where the cursor stands inside a secret. Reads files
        and takes milliseconds: call it on a thread.
        """
        if document is not None:
            self._check((document,))
        if not self._scans:
            return ClearedFim(prefix, suffix)
        redaction = redact(prefix + suffix, len(prefix), is_config=_is_config(document))
        if redaction.cursor is None:
            raise TextWithheld("The cursor stands inside what looks like a secret; nothing was sent.")
        text, cursor = redaction.text, redaction.cursor
        return ClearedFim(text[:cursor], text[cursor:], _phrases([redaction]))

    def clear_texts(self, texts: Iterable[str], documents: Iterable[str]) -> ClearedTexts:
        """Return texts, among them text of `documents`, without their secrets.

        Raises `TextWithheld` if one of the documents is excluded. Call it on a thread, too.
        """
        documents = tuple(documents)
        self._check(documents)
        if not self._scans:
            return ClearedTexts(tuple(texts))
        is_config = any(_is_config(document) for document in documents)
        redactions = [redact(text, None, is_config=is_config) for text in texts]
        return ClearedTexts(tuple(redaction.text for redaction in redactions), _phrases(redactions))

    def _check(self, documents: Iterable[str]) -> None:
        for document in documents:
            reason = self._exclusions.why(document)
            if reason is not None:
                raise TextWithheld(f"{reason}; nothing of it was sent.")


def _phrases(redactions: Iterable[Redaction]) -> tuple[str, ...]:
    kinds = [kind for redaction in redactions for kind in redaction.kinds]
    if not kinds:
        return ()
    secrets = "1 secret" if len(kinds) == 1 else f"{len(kinds)} secrets"
    return (f"{secrets} in this text ({', '.join(sorted(set(kinds)))})",)


def _is_config(document: str | None) -> bool:
    if document is None or document.startswith("untitled:"):
        return False
    name = PurePosixPath(place_of(document).path)
    return name.suffix.lower() in _CONFIG_SUFFIXES or name.suffix == ""
