"""A fill-in-the-middle prompt written as text, for servers that only continue text.

Owns the text of a family's prompt, and what of the prefix is left to the model. Must not know servers. Where
token ids can be sent, `llama_server` writes the prompt instead.

A server heals no tokens, so a prompt that ends with the prefix as it is ends in a way that training text
never does. Measured with Qwen2.5-Coder-0.5B on llama.cpp's server, greedy: 150 cursors in lines of
HumanEval-Infilling, and the share in which the rest of the line comes out as it was.

| what of the prefix is held back        | in a word | after ( | (, closed | blank | line start |
| suffix first: nothing                  | 0.03      | 0.10    | 0.13      | 0.10  | 0.00       |
| the last word, required of the answer  | 0.60      | 0.10    | 0.13      | 0.10  | 0.00       |
| the last token, required of the answer | 0.60      | 0.53    | 0.80      | 0.73  | 0.50       |
| the last token, ensured by a grammar   | 0.70      | 0.57    | 0.80      | 0.73  | 0.50       |
| the same, written as token ids         | 0.70      | 0.57    | 0.80      | 0.73  | 0.50       |
| prefix first: nothing                  | 0.50      | 0.33    | 0.57      | 0.43  | 0.43       |
| the last word, required of the answer  | 0.50      | 0.37    | 0.60      | 0.43  | 0.40       |
| the server's own `/infill`             | 0.50      | 0.33    | 0.57      | 0.43  | 0.37       |

So the suffix comes first where a family has both orders, and the last token is always left to the model.
Without a grammar the answer began otherwise in 10 of the 150 cases, which then have no completion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server import families
from lsp_server.families import MAX_STOP, PREFIX, SUFFIX, FimTemplate

HELD_CHARACTERS = 32
"""Most of a word that is held back: every four or so cost a decoding step, and few names are longer."""

FARTHEST = 200
"""Characters looked at: no vocabulary has a longer token, not even of blanks."""

_END = re.compile(
    rf"(?: (?=\w))?\w{{1,{HELD_CHARACTERS}}}\Z| ?[^\w\s]{{1,{HELD_CHARACTERS}}}\Z|[ \t]+\Z|[\r\n]+\Z"
)
"""The last token of a text, or the word it is in: with the blank before it, as in most vocabularies."""

PREFIX_ONLY = families.chosen("prefix-only", "")
"""For a model that has not learnt fill-in-the-middle."""


@dataclass(frozen=True)
class RawPrompt:
    """What the model is given, and how its answer begins and ends."""

    text: str
    stop: tuple[str, ...]
    """At most four."""
    held: str
    """The end of the prefix, left out of `text`: the answer must begin with it (see `Opening`)."""


def render(
    template: FimTemplate, prefix: str, suffix: str, stop: tuple[str, ...] = (), *, hold: bool = True
) -> RawPrompt:
    """Return the prompt for the text between `prefix` and `suffix`, without a token for its beginning.

    A server would take a control token in the text for one, so the text is cut there. With `hold` the end of
    the prefix is left to the model.
    """
    prefix, suffix = _after_last(template.all_controls, prefix), _before_first(template.all_controls, suffix)
    kept, held = hold_back(prefix, stop) if hold and template.healing else (prefix, "")
    texts = {PREFIX: kept, SUFFIX: suffix}
    parts = template.layout_before(suffix)
    ends = (*template.stop, *stop, *template.end_tokens, *template.markers)
    return RawPrompt("".join(texts.get(part, part) for part in parts), _first(ends), held)


def hold_back(prefix: str, stop: tuple[str, ...] = ()) -> tuple[str, str]:
    """Split off the end of a prefix that the model is to write again; nothing if a stop sequence is in it."""
    found = _END.search(prefix, max(0, len(prefix) - FARTHEST))
    if found is None or any(sequence in found.group() for sequence in stop):
        return prefix, ""
    return prefix[: found.start()], found.group()


class Opening:
    """Takes the text that was held back off the beginning of an answer."""

    def __init__(self, held: str) -> None:
        self._held = held

    @property
    def open(self) -> bool:
        """Say whether the answer has yet to spell text that was held back."""
        return bool(self._held)

    def take(self, text: str) -> str | None:
        """Return what is new in the next piece of the answer; None once it does not begin as it must."""
        if text.startswith(self._held):
            new, self._held = text[len(self._held) :], ""
            return new
        if not self._held.startswith(text):
            return None
        self._held = self._held[len(text) :]
        return ""


def _after_last(controls: tuple[str, ...], text: str) -> str:
    starts = [at + len(control) for control in controls if (at := text.rfind(control)) >= 0]
    return text[max(starts, default=0) :]


def _before_first(controls: tuple[str, ...], text: str) -> str:
    starts = [at for control in controls if (at := text.find(control)) >= 0]
    return text[: min(starts, default=len(text))]


def _first(stops: tuple[str, ...]) -> tuple[str, ...]:
    unlike_blank = (stop.strip(" ") or stop for stop in stops)
    return tuple(dict.fromkeys(unlike_blank))[:MAX_STOP]
