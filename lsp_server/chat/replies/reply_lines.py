"""The lines of a reply as they come, without what is not said to the user.

Owns what models write besides their answer: thinking before it, control tokens at its end, and the invented
turns behind those.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lsp_server.chat.replies.fences import Fences

_THINKING = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))
_END_TOKENS = (
    *("<|im_end|>", "<|endoftext|>", "<|end|>", "<|eot_id|>", "<|end_of_text|>", "<|EOT|>", "<|return|>"),
    *("</s>", "<end_of_turn>", "<|end_of_turn|>", "<｜end▁of▁sentence｜>"),
)


@dataclass
class ReplyLines:
    """The text so far, and the blocks in it."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    fences: Fences = field(default_factory=Fences)
    _thinking: str = ""
    """What ends the thinking that goes on."""
    _said: bool = False
    """Something but thinking has come."""
    _over: bool = False
    """The model's turn has ended; what follows is invented."""

    def copy(self) -> ReplyLines:
        """Return the same, to be gone on with apart from this one."""
        return replace(self, parts=self.parts.copy(), fences=self.fences.copy())

    def take(self, line: str, end: str) -> None:
        """Take a line; `end` is empty for the last one, as long as it may go on."""
        said = "" if self._over else self._without_thinking(line)
        if said is None or self._over:
            return
        bare = _without_end_tokens(said)
        if bare != said and (not end or not self.fences.inside or bare.strip() in ("```", "~~~")):
            said = bare
            self._over = end != "" and not self.fences.inside
        self.fences.take(said, self.length)
        self.parts.append(said + end)
        self.length += len(said) + len(end)

    def _without_thinking(self, line: str) -> str | None:
        """Return what of a line is said; None if nothing is."""
        if self._said and not self.fences.inside and line.strip() in ("</think>", "[/THINK]"):
            # The chat template opened the thinking, so that only its end is in the reply.
            self.parts, self.length, self.fences = [], 0, Fences()
            return None
        while not self._said:
            if self._thinking:
                _, closing, line = line.partition(self._thinking)
                if not closing:
                    return None
                self._thinking = ""
                if not line.strip():
                    return None
            text = line.lstrip()
            opening = next((opening for opening, _ in _THINKING if text.startswith(opening)), "")
            if not opening:
                self._said = text != ""
                return line
            self._thinking = dict(_THINKING)[opening]
            line = text[len(opening) :]
        return line


def _without_end_tokens(line: str) -> str:
    bare = line.rstrip()
    while token := next((token for token in _END_TOKENS if bare.endswith(token)), ""):
        line = bare = bare[: -len(token)].rstrip()
    return line
