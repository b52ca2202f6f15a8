"""Somebody who types in one document and wants a completion after each key."""

from __future__ import annotations

from typing import Any

from tests.support.lsp_client import LspClient, insertion

DEMO = "file:///demo/a.py"
BEFORE, TYPED = "x = ", "y + "
BELOW = "".join(f"\nnumber_{number} = {number}" for number in range(30)) + "\n"
"""So much code tells its language: nothing is said of that, and a reply need not be code."""


class Typist:
    """Types before what was typed last, so that no completion is known from before."""

    def __init__(self, client: LspClient, uri: str = DEMO) -> None:
        self._client = client
        self._uri = uri
        self._typed = 0
        client.open(uri, BEFORE + BELOW)

    def answered(self) -> Any:  # noqa: ANN401
        """Type, ask, and return the result as it is."""
        self._client.change(self._uri, insertion(0, len(BEFORE), TYPED))
        self._typed += len(TYPED)
        return self._client.result(self._client.complete(self._uri, 0, len(BEFORE) + self._typed))

    def completed(self) -> list[str]:
        """Type, ask, and return the texts offered."""
        return [item["insertText"] for item in self.answered()["items"]]
