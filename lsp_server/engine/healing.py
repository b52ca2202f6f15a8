"""Constrained spelling of the bytes a prompt ends short of (token healing).

Owns which tokens may come next and what of their text is new. Must not know logits or sampling.
"""

from __future__ import annotations

import numpy as np

from lsp_server.engine.vocabulary import TokenIds, Vocabulary


class Healing:
    """The state of one answer: what is left to spell. Used by one thread.

    Raises ValueError for bytes that no tokens spell; those of `Prompt.pending` always can be, by the
    tokens that were held back.
    """

    def __init__(self, vocabulary: Vocabulary, pending: bytes) -> None:
        self._vocabulary = vocabulary
        self._remaining = pending
        self._known: dict[tuple[int, bool], bool] = {}
        if pending and not self._candidates().size:
            raise ValueError("the vocabulary cannot spell the pending bytes")

    @property
    def remaining(self) -> bytes:
        """The bytes still to be spelled."""
        return self._remaining

    @property
    def done(self) -> bool:
        """Say whether any token may come next."""
        return not self._remaining

    def candidates(self) -> TokenIds | None:
        """Return the tokens one of which must come next; None if any may.

        Never empty. A token is among them if it starts with the remaining bytes, or is a start of them
        after which the rest can still be spelled.
        """
        return self._candidates() if self._remaining else None

    def accept(self, token: int) -> bytes:
        """Take the model's next token and return the bytes it adds beyond the pending ones."""
        piece = self._vocabulary.piece(token)
        if piece.startswith(self._remaining):
            new, self._remaining = piece[len(self._remaining) :], b""
            return new
        if not piece or not self._remaining.startswith(piece):
            raise ValueError(f"token {token} does not spell the pending bytes")
        self._remaining = self._remaining[len(piece) :]
        return b""

    def _candidates(self) -> TokenIds:
        # Single-byte fallback tokens only where nothing else will do: a model in training sees them only
        # for characters that have no token, and sampling must not wander off into spelling words by bytes.
        plain = self._spellings(with_bytes=False)
        return plain if plain.size else self._spellings(with_bytes=True)

    def _spellings(self, *, with_bytes: bool) -> TokenIds:
        rest = self._remaining
        pieces = self._vocabulary.pieces
        starts = [
            int(token)
            for token in self._allowed(self._vocabulary.beginnings_of(rest), with_bytes)
            if self._can_finish(rest[len(pieces[token]) :], with_bytes)
        ]
        whole = self._allowed(self._vocabulary.starting_with(rest), with_bytes)
        return np.concatenate((whole, np.array(starts, np.int32)))

    def _can_finish(self, rest: bytes, with_bytes: bool) -> bool:
        key = (len(rest), with_bytes)
        if key not in self._known:
            pieces = self._vocabulary.pieces
            starts = self._allowed(self._vocabulary.beginnings_of(rest), with_bytes)
            whole = self._allowed(self._vocabulary.starting_with(rest), with_bytes)
            lengths = {len(pieces[token]) for token in starts}
            self._known[key] = bool(whole.size) or any(
                self._can_finish(rest[length:], with_bytes) for length in sorted(lengths, reverse=True)
            )
        return self._known[key]

    def _allowed(self, tokens: TokenIds, with_bytes: bool) -> TokenIds:
        return tokens if with_bytes else tokens[~self._vocabulary.is_byte(tokens)]
