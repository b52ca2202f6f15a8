"""Stand-ins for what people and models wrote, while a template is rendered around them.

Owns which parts of the rendered text are the template's own: only those may hold control tokens. Must not
know templates or tokens.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

_IN_JSON = re.compile(r"(q[0-9a-f]{24}q\d+)z")


class Said(str):
    """What somebody wrote, as opposed to text of the template."""

    __slots__ = ()


class Mask:
    """The stand-ins of one rendering; nobody who writes text can guess them."""

    def __init__(self) -> None:
        self._nonce = f"q{secrets.token_hex(12)}q"
        self._texts: list[str] = []

    def over(self, text: str, *, blanks: bool = False) -> str:
        """Return what stands for `text`.

        Blanks around it stay where a template can trim them, and an empty text can be seen to be one;
        `blanks` hides them, too.
        """
        inner = text if blanks else text.strip()
        if not inner and not blanks:
            return text
        start = 0 if blanks else text.index(inner)
        self._texts.append(inner)
        return f"{text[:start]}{self._nonce}{len(self._texts) - 1}z{text[start + len(inner) :]}"

    def over_all(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Return JSON in which stand-ins are in place of all strings."""
        if isinstance(value, str):
            return self.over(value)
        if isinstance(value, Mapping):
            return {self.over(key): self.over_all(item) for key, item in value.items()}
        return [self.over_all(item) for item in value] if isinstance(value, list) else value

    def over_descriptions(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Return JSON Schema in which stand-ins are in place of prose: templates look at all the rest."""
        if isinstance(value, Mapping):
            return {
                key: self.over(item)
                if key == "description" and isinstance(item, str)
                else self.over_descriptions(item)
                for key, item in value.items()
            }
        return [self.over_descriptions(item) for item in value] if isinstance(value, list) else value

    def name(self, what: str) -> str:
        """Return a stand-in that comes out of `split` under its own name."""
        return f"{self._nonce}{what}z"

    def split(self, rendered: str) -> list[str | Said | tuple[str]]:
        """Return text of the template, what was said, and names in a tuple, in order."""
        parts: list[str | Said | tuple[str]] = []
        for number, piece in enumerate(re.split(f"{self._nonce}(\\d+j?|[a-z]+)z", rendered)):
            if number % 2 == 0:
                parts.append(piece)
            elif piece.isalpha():
                parts.append((piece,))
            else:
                text = self._texts[int(piece.rstrip("j"))]
                parts.append(Said(json.dumps(text, ensure_ascii=False)[1:-1] if piece[-1] == "j" else text))
        return parts


def to_json(value: object, *, indent: int | None = None, **more: Any) -> str:  # noqa: ANN401
    """Write JSON as templates expect their `tojson` to do; what is hidden in it will be escaped.

    Not Jinja's own filter, which is made for web pages: `<` comes out as it is.
    """
    written = json.dumps(value, indent=indent, **{"ensure_ascii": False, **more})
    return _IN_JSON.sub(r"\1jz", written)
