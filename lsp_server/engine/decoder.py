"""Evaluates tokens in KV sequences and gives their logits. For one thread; `AbortFlag` is for any.

Must not know what is in a sequence: which tokens are where is the business of `slots`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import llama_cpp
import numpy as np
import numpy.typing as npt

from lsp_server.engine import native_log
from lsp_server.engine.model import BATCH_TOKENS, LoadedModel
from lsp_server.errors import CodestralLspError

Logits = npt.NDArray[np.float32]


class DecodeError(CodestralLspError):
    """llama.cpp refused or failed a batch; the sequence has been emptied."""


class AbortFlag:
    """Stops an evaluation from another thread, inside a batch where llama.cpp can.

    llama.cpp asks a C function after every node of its graph, some 600 times a batch. A Python function
    there would need the GIL each time, so it is libc's strlen on a two byte buffer: "" goes on, "\\1" stops.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        self._after_batch = False
        library = ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)
        self._strlen = ctypes.cast(library.strlen, llama_cpp.ggml_abort_callback)

    @property
    def is_set(self) -> bool:
        """Say whether evaluations stop, be it after the batch that is under way."""
        return self._after_batch or self._buffer.raw[0] != 0

    def set(self) -> None:
        """Stop what is being evaluated, and whatever is evaluated until `clear`."""
        self._buffer[0] = b"\1"

    def set_after_batch(self) -> None:
        """Do the same, but let a batch that is under way come to its end: what is in it is kept."""
        self._after_batch = True

    def clear(self) -> None:
        """Let evaluations go on."""
        self._after_batch = False
        self._buffer[0] = b"\0"

    def attach(self, context: int) -> None:
        """Make `context` ask this flag; the flag must outlive it."""
        llama_cpp.llama_set_abort_callback(context, self._strlen, ctypes.cast(self._buffer, ctypes.c_void_p))


class Outcome(Enum):
    """How an evaluation ended."""

    COMPLETE = 0
    NO_ROOM = 1
    """The KV cache is full."""
    ABORTED = 2


class Evaluation(NamedTuple):
    """`tokens` were evaluated and are in the sequence; any further ones are not."""

    tokens: int
    outcome: Outcome


class Decoder:
    """The one user of a model's context."""

    def __init__(self, model: LoadedModel, abort: AbortFlag) -> None:
        self._context = model.context
        self._memory = llama_cpp.llama_get_memory(model.context)
        self._vocabulary_size = model.vocabulary_size
        self._abort = abort
        self._batch = _Batch()
        self.evaluated_tokens = 0
        """Tokens evaluated so far, of all sequences."""
        abort.attach(model.context)

    def evaluate(self, sequence: int, tokens: Sequence[int], start: int, *, guessed: int = 0) -> Evaluation:
        """Append `tokens` to a sequence that holds `start` tokens; the logits of the last are kept.

        The last `guessed` of them, at most `draft.MOST_TOKENS`, are guesses: the logits before each are, too.
        """
        done = 0
        while done < len(tokens):
            if self._abort.is_set:
                return Evaluation(done, Outcome.ABORTED)
            piece = tokens[done : done + BATCH_TOKENS]
            last = done + len(piece) == len(tokens)
            wanted = min(guessed + 1, len(piece)) if last else 0
            self._batch.fill(sequence, piece, start + done, logits=wanted)
            outcome = self._decode(sequence)
            if outcome is not Outcome.COMPLETE:
                return Evaluation(self._cut(sequence, start + done) - start, outcome)
            done += len(piece)
            self.evaluated_tokens += len(piece)
        return Evaluation(done, Outcome.COMPLETE)

    def logits(self, before: int = 0) -> Logits:
        """Return the logits after the last complete evaluation: a view, good until the next one.

        With `before`, those before the last so many tokens, which were guessed.
        """
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1 - before)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary_size,))

    def keep(self, sequence: int, length: int) -> int:
        """Remove the tokens from position `length` on; return how many are left.

        That is `length`, or 0 where the model's memory can only be emptied.
        """
        return self._cut(sequence, length)

    def warm_up(self) -> None:
        """Read the weights into memory, so that the first prompt does not wait; empties every sequence."""
        llama_cpp.llama_memory_clear(self._memory, False)
        llama_cpp.llama_set_warmup(self._context, True)
        self._batch.fill(0, [0], 0, logits=1)
        self._decode(0)
        llama_cpp.llama_set_warmup(self._context, False)
        llama_cpp.llama_memory_clear(self._memory, True)

    def _decode(self, sequence: int) -> Outcome:
        with native_log.errors() as errors:
            code = llama_cpp.llama_decode(self._context, self._batch.native)
        if code < 0:
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            raise DecodeError(f"llama_decode returned {code}: {native_log.reason(errors)}")
        # On a GPU llama_decode only queues the work; the flag is worth asking once it is done.
        llama_cpp.llama_synchronize(self._context)
        return Outcome(code)

    def _cut(self, sequence: int, length: int) -> int:
        if llama_cpp.llama_memory_seq_rm(self._memory, sequence, length, -1):
            return length
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return 0


class _Batch:
    """A llama_batch of up to BATCH_TOKENS tokens of one sequence, over numpy arrays."""

    def __init__(self) -> None:
        self._token = np.zeros(BATCH_TOKENS, np.int32)
        self._position = np.zeros(BATCH_TOKENS, np.int32)
        self._sequence = np.zeros(1, np.int32)
        self._sequences = np.full(BATCH_TOKENS, self._sequence.ctypes.data, np.uintp)
        self._sequence_count = np.ones(BATCH_TOKENS, np.int32)
        self._logits = np.zeros(BATCH_TOKENS, np.int8)
        self.native = llama_cpp.llama_batch()
        for name, array in (
            ("token", self._token),
            ("pos", self._position),
            ("n_seq_id", self._sequence_count),
            ("seq_id", self._sequences),
            ("logits", self._logits),
        ):
            pointer = type(getattr(self.native, name))
            setattr(self.native, name, ctypes.cast(array.ctypes.data, pointer))

    def fill(self, sequence: int, tokens: Sequence[int], start: int, *, logits: int) -> None:
        count = len(tokens)
        self._token[:count] = tokens
        self._position[:count] = np.arange(start, start + count)
        self._sequence[0] = sequence
        self._logits[:count] = 0
        self._logits[count - logits : count] = 1
        self.native.n_tokens = count
