"""One answer in the making: from logits to tokens to text. Can be left and taken up at any token.

Must not know where the logits come from.
"""

from __future__ import annotations

import numpy as np

from lsp_server.engine.draft import Draft
from lsp_server.engine.fim import Prompt
from lsp_server.engine.healing import Healing
from lsp_server.engine.job import FinishReason, Sampling
from lsp_server.engine.sampling import Logits, sampler
from lsp_server.engine.stops import TextStream
from lsp_server.engine.vocabulary import Vocabulary


class Generation:
    """What has been generated for a prompt, and what comes next given the logits."""

    def __init__(self, prompt: Prompt, sampling: Sampling, vocabulary: Vocabulary) -> None:
        self.prompt_tokens = len(prompt.tokens)
        self.tokens = list(prompt.tokens)
        """Prompt and what has been generated: all of it has to be evaluated before `choose`."""
        self.completion_tokens = 0
        """Tokens of new text; those that only spell the end of the prompt again are not counted."""
        self.finish_reason: FinishReason | None = None
        self._sampling = sampling
        self._vocabulary = vocabulary
        self._ends = vocabulary.ends | prompt.end_tokens
        self._named = prompt.named
        greedy = sampling.temperature <= 0  # a guess takes the place of no draw
        self._draft = Draft(prompt.prediction) if prompt.prediction and greedy else None
        self._healing = Healing(vocabulary, prompt.pending)
        self._sampler = sampler(sampling)
        self._text = TextStream((*prompt.stop, *sampling.stop))
        if sampling.max_tokens <= 0:
            self.finish_reason = "length"

    def choose(self, logits: Logits) -> str:
        """Choose the next token and return the text that is certain now; `logits` may be changed."""
        if self.completion_tokens < self._sampling.min_tokens:
            logits[list(self._ends)] = -np.inf
        healing = not self._healing.done
        token = self._sampler.choose(logits, self._healing.candidates() if healing else None)
        if token in self._ends:
            return self._finish("stop")
        self.tokens.append(token)
        if self._draft is not None:
            self._draft.accept(token)
        data = self._healing.accept(token) if healing else self._vocabulary.piece(token)
        data = data or self._named.get(token, b"")
        if data or not healing:
            self.completion_tokens += 1
        text = self._text.feed(data)
        if self._text.stopped:
            return text + self._finish("stop")
        if self.completion_tokens >= self._sampling.max_tokens:
            return text + self._finish("length")
        return text

    def guess(self, room: int) -> tuple[int, ...]:
        """Return tokens that may come next, as many as are worth evaluating together and fit into `room`."""
        left = self._sampling.max_tokens - self.completion_tokens - 1
        return () if self._draft is None else self._draft.guess(min(room, left))

    def cut(self) -> str:
        """End the text because there is no room for more; return what was held back."""
        return self._finish("length")

    def _finish(self, reason: FinishReason) -> str:
        self.finish_reason = reason
        return self._text.finish()
