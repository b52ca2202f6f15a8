"""The tokens of a loaded model: text to ids, ids to bytes, and which ids can spell given bytes.

Owns every ctypes call on a llama_vocab. Must not know what the tokens are used for: prompt
layouts are `fim`'s, constrained spelling is `healing`'s.
"""

from __future__ import annotations

import ctypes
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from lsp_server.engine import native_log
from lsp_server.errors import ModelError

TokenIds = npt.NDArray[np.int32]

_BYTE = int(llama_cpp.LLAMA_TOKEN_ATTR_BYTE)
_CONTROL = int(llama_cpp.LLAMA_TOKEN_ATTR_CONTROL)
_NORMAL = int(llama_cpp.LLAMA_TOKEN_ATTR_NORMAL)

_LONG_RUN = re.compile(r"[^ \n]{256}(?=[^ \n])|\s{256}(?=\s)")
"""Where a BPE text is cut before it is tokenised.

Most pre-tokeniser expressions run in std::regex, which recurses once per character of a run and
overflows the stack: on Linux near 26,000 characters, on Windows within hundreds
(https://github.com/ggml-org/llama.cpp/issues/27783, https://github.com/ggml-org/llama.cpp/issues/9715).
"""

_NO_SPACE = "☺"
"""A text that nothing merges with: what follows it gets none of the space SentencePiece puts at the start."""


class Vocabulary:
    """A view of a `llama_vocab`; the model it belongs to must outlive it. Safe to read from any thread."""

    def __init__(self, pointer: Any) -> None:  # noqa: ANN401 - llama_cpp has no types
        self._pointer = pointer
        self.size = int(llama_cpp.llama_vocab_n_tokens(pointer))
        bos = int(llama_cpp.llama_vocab_bos(pointer))
        self.bos: int | None = bos if bos >= 0 else None
        eos = int(llama_cpp.llama_vocab_eos(pointer))
        self.eos: int | None = eos if eos >= 0 else None
        self.add_bos = bool(llama_cpp.llama_vocab_get_add_bos(pointer))
        self._pre_tokenised = llama_cpp.llama_vocab_type(pointer) == llama_cpp.LLAMA_VOCAB_TYPE_BPE

    def prepare(self) -> None:
        """Build the tables now (0.4 s for 150,000 tokens) and not in the first request."""
        _ = self._sorted, self._longest, self._markers, self._controls, self.ends

    def tokenize(self, text: str, *, after: str = "", never: Collection[int] = ()) -> list[int]:
        """Return the tokens of plain text: no BOS, and no control token, whatever the text says.

        With `after`, the tokens are those that follow this text, whose own are dropped; that keeps
        SentencePiece's space off the start. `never` are further tokens that text must not become: some
        files declare FIM tokens as user-defined ones, which llama.cpp finds in any text.
        """
        text = _without_surrogates(text)
        cuts = {run.end() for run in _LONG_RUN.finditer(text)} if self._pre_tokenised else set()
        known: set[int] = set()
        while True:
            tokens = self._tokenize(text, cuts, after)
            # llama.cpp merges by text alone, so that pieces such as `</` and `s>` can make a control token.
            wrong = {token for token in tokens if token in self._controls or token in never} - known
            if not wrong:
                return tokens
            known |= wrong
            for token in wrong:
                cuts.update(match.start() + 1 for match in self._spelling(token).finditer(text))

    def piece(self, token: int) -> bytes:
        """Return the bytes that `token` adds to a text; none for control and unused tokens."""
        if not 0 <= token < self.size:
            raise IndexError(f"token {token} is not in a vocabulary of {self.size}")
        return self._piece(token, ctypes.create_string_buffer(64), 64)

    @cached_property
    def pieces(self) -> list[bytes]:
        """The bytes of every token, in the order of their ids."""
        room = 512
        buffer = ctypes.create_string_buffer(room)
        return [self._piece(token, buffer, room) for token in range(self.size)]

    def is_end(self, token: int) -> bool:
        """Tell whether the model ends its text with `token`."""
        return token in self.ends

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that llama.cpp counts as the end of a generation."""
        is_end = llama_cpp.llama_vocab_is_eog
        return frozenset(token for token in range(self.size) if is_end(self._pointer, token))

    def find(self, text: str) -> int | None:
        """Return the control (or user-defined) token written exactly so."""
        return self._markers.get(text)

    def is_byte(self, tokens: TokenIds) -> npt.NDArray[np.bool_]:
        """Tell which of `tokens` are SentencePiece's fallback for a single byte."""
        found: npt.NDArray[np.bool_] = (self._attributes[tokens] & _BYTE) != 0
        return found

    def starting_with(self, data: bytes) -> TokenIds:
        """Return the tokens whose bytes start with `data`, in no particular order."""
        keys, ids = self._sorted
        return ids[bisect_left(keys, data) : bisect_right(keys, data + b"\xff" * self._longest)]

    def beginnings_of(self, data: bytes) -> TokenIds:
        """Return the tokens whose bytes are a start of `data`, but not all of it; shortest first."""
        keys, ids = self._sorted
        starts = (data[:length] for length in range(1, min(len(data), self._longest + 1)))
        found = [ids[bisect_left(keys, start) : bisect_right(keys, start)] for start in starts]
        return np.concatenate(found) if found else np.empty(0, np.int32)

    @cached_property
    def _sorted(self) -> tuple[list[bytes], TokenIds]:
        pieces = self.pieces
        order = sorted((token for token in range(self.size) if pieces[token]), key=pieces.__getitem__)
        return [pieces[token] for token in order], np.array(order, np.int32)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.pieces), default=0)

    @cached_property
    def _attributes(self) -> npt.NDArray[np.int32]:
        attribute = llama_cpp.llama_vocab_get_attr
        return np.array([attribute(self._pointer, token) for token in range(self.size)], np.int32)

    @cached_property
    def _controls(self) -> frozenset[int]:
        return frozenset(np.flatnonzero(self._attributes & _CONTROL).tolist())

    @cached_property
    def _markers(self) -> dict[str, int]:
        marked = np.flatnonzero((self._attributes & (_NORMAL | _BYTE)) == 0)
        texts = ((self._text(int(token)), int(token)) for token in reversed(marked))
        return dict(texts)

    def _text(self, token: int) -> str:
        text: bytes = llama_cpp.llama_vocab_get_text(self._pointer, token)
        return text.decode("utf-8", "replace")

    def _piece(self, token: int, buffer: ctypes.Array[ctypes.c_char], room: int) -> bytes:
        length = llama_cpp.llama_token_to_piece(self._pointer, token, buffer, room, 0, False)
        if length < 0:
            return self._piece(token, ctypes.create_string_buffer(-length), -length)
        return ctypes.string_at(buffer, length)

    def _spelling(self, token: int) -> re.Pattern[str]:
        """Return what a text must have in it to become `token`; SentencePiece writes spaces as U+2581."""
        return re.compile(re.escape(self._text(token).lstrip("▁")).replace("▁", "[▁ ]"))

    def _tokenize(self, text: str, cuts: Collection[int], after: str) -> list[int]:
        """Tokenise the parts between `cuts` one by one."""
        tokens = []
        for start, end in pairwise((0, *sorted(cuts), len(text))):
            before = after if start == 0 or self._pre_tokenised else _NO_SPACE
            tokens += self._tokens(before + text[start:end])[len(self._tokens(before)) :]
        return tokens

    def _tokens(self, text: str) -> list[int]:
        if not text:
            return []
        data = text.encode()
        room = len(data) + 1  # a token takes a byte at least, and SentencePiece adds one space
        while True:
            buffer = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(self._pointer, data, len(data), buffer, room, False, False)
            if count >= 0:
                return list(buffer[:count])
            room = -count


def _without_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, which have no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class VocabOnly:
    """The vocabulary of a GGUF on disk, without its weights: for tests and for looking at a model."""

    def __init__(self, path: Path) -> None:
        native_log.capture()
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        with native_log.errors() as errors:
            self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise ModelError(f"{path} is not a usable model: {native_log.reason(errors)}.")
        self.path = path
        self.vocabulary = Vocabulary(llama_cpp.llama_model_get_vocab(self._model))

    def __enter__(self) -> VocabOnly:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """What the model and its file are called, for `families.detect`."""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_model_meta_val_str(self._model, b"general.name", buffer, len(buffer))
        return (buffer.value.decode("utf-8", "replace"), self.path.stem) if length > 0 else (self.path.stem,)

    def close(self) -> None:
        """Release the model; the vocabulary is of no use afterwards."""
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = None
