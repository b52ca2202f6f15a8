"""Weights and context of llama.cpp, loaded or refused in one clear sentence.

Owns the native objects and their release. Must not know what the model is used for.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp
import psutil

from lsp_server.engine import native_log
from lsp_server.engine.draft import MOST_TOKENS
from lsp_server.errors import ModelError

BATCH_TOKENS = 128
"""Tokens evaluated in one go: about 0.5 s on two cores for a small model, under 0.1 s for a large one on a
GPU. What llama.cpp cannot abort half-way (CUDA) ends this soon, what it aborts costs no more than this.
Measured on two cores, Qwen2.5-Coder 0.5B, CPU seconds for 768 tokens in batches of 256, 128, 64 and 32:
7.0, 7.4, 8.4 and 11.4."""


@dataclass
class LoadedModel:
    """A model ready to be evaluated, by one thread at a time; its plain facts can be read by any."""

    path: Path
    slots: int
    """KV sequences, numbered from 0."""
    slot_tokens: int
    """Context length of each slot."""
    trained_tokens: int
    """Context length the model was trained for."""
    vocabulary_size: int
    """Number of tokens, which is the number of logits."""
    size_bytes: int
    """Size of the weights."""
    name: str
    """What the model calls itself, or its file name."""
    architecture: str
    """llama.cpp's name of the architecture: `llama`, `qwen2`."""
    chat_template: str | None = field(repr=False)
    """Jinja text, if the file has one."""
    shortens: bool
    """The end of a sequence can be removed; recurrent layers can only forget it all."""
    model: int = field(repr=False)
    """llama_model *"""
    context: int = field(repr=False)
    """llama_context *"""
    vocab: int = field(repr=False)
    """llama_vocab *, for `Vocabulary`"""

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        context_tokens: int,
        slots: int,
        threads: int = 0,
        gpu_layers: int = -1,
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> LoadedModel:
        """Load weights and make a context in which each of `slots` holds `context_tokens`.

        `context_tokens` is lowered to what the model was trained for. `threads` 0 takes the physical
        cores. `progress` gets fractions; an exception raised in it stops the loading and comes out here.
        Raises ModelError for whatever is not a usable model.
        """
        _check_is_file(path)
        native_log.capture()
        _initialise_backend()
        model = _load_weights(path, gpu_layers, progress)
        try:
            _check_generates_text(path, model)
            length = min(context_tokens, llama_cpp.llama_model_n_ctx_train(model) or context_tokens)
            context = _make_context(path, model, length, slots, threads or physical_cores())
        except BaseException:
            llama_cpp.llama_model_free(model)
            raise
        vocab = llama_cpp.llama_model_get_vocab(model)
        return cls(
            path=path,
            slots=slots,
            slot_tokens=llama_cpp.llama_n_ctx_seq(context),
            trained_tokens=llama_cpp.llama_model_n_ctx_train(model),
            vocabulary_size=llama_cpp.llama_vocab_n_tokens(vocab),
            size_bytes=llama_cpp.llama_model_size(model),
            name=_metadata(model, "general.name") or path.stem,
            architecture=_metadata(model, "general.architecture") or "",
            chat_template=_chat_template(model),
            shortens=not (
                llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model)
            ),
            model=model,
            context=context,
            vocab=vocab,
        )

    def close(self) -> None:
        """Give the memory back; only the plain facts are of use afterwards."""
        if self.context:
            llama_cpp.llama_free(self.context)
            llama_cpp.llama_model_free(self.model)
        self.context = self.model = self.vocab = 0


def physical_cores() -> int:
    """Return the cores this process may use, hyper-threads not counted: they slow llama.cpp down."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return int(cores)


@functools.cache
def _initialise_backend() -> None:
    llama_cpp.llama_backend_init()


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise ModelError(f"{path} is a directory, not a model: give the path of a .gguf file.")
    if not path.exists():
        raise ModelError(f"{path} does not exist: give the path of a .gguf file.")


def _load_weights(path: Path, gpu_layers: int, progress: Callable[[float], None]) -> int:
    raised: list[BaseException] = []

    @llama_cpp.llama_progress_callback  # type: ignore[untyped-decorator]
    def report(fraction: float, _data: object) -> bool:
        try:
            progress(fraction)
        except BaseException as error:  # it must not unwind through C
            raised.append(error)
        return not raised

    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers
    parameters.progress_callback = report
    with native_log.errors() as errors:
        model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
    if raised:
        if model:
            llama_cpp.llama_model_free(model)
        raise raised[0]
    if not model:
        raise ModelError(
            f"{path} is not a usable model: {native_log.reason(errors)}; "
            "download it again or choose another file."
        )
    return int(model)


def _check_generates_text(path: Path, model: int) -> None:
    if llama_cpp.llama_model_has_encoder(model) or not llama_cpp.llama_model_has_decoder(model):
        raise ModelError(f"{path} is not a usable model: it does not continue text.")


def _make_context(path: Path, model: int, slot_tokens: int, slots: int, threads: int) -> int:
    parameters = llama_cpp.llama_context_default_params()
    # One KV buffer per slot: the memory is the same, since each slot must hold a full prompt, but attention
    # reads only the slot's own cells; in a unified buffer it would also read, and mask, all the others'.
    parameters.kv_unified = False
    parameters.n_ctx = slot_tokens * slots
    parameters.n_seq_max = slots
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    # The decoder asks for the logits of one token a batch and of guesses; llama.cpp would make room for all.
    parameters.n_outputs_max = max(slots, 1 + MOST_TOKENS)
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
    with native_log.errors() as errors:
        context = llama_cpp.llama_init_from_model(model, parameters)
    if not context:
        raise ModelError(
            f"{path} does not fit in memory with {slots} slots of {slot_tokens} tokens "
            f"({native_log.reason(errors)}): lower context_tokens or slots."
        )
    return int(context)


def _metadata(model: int, key: str) -> str | None:
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = llama_cpp.llama_model_meta_val_str(model, key.encode(), buffer, size)
        if length < 0:
            return None
        if length < size:
            return buffer.value.decode("utf-8", "replace")
        size = length + 1


def _chat_template(model: int) -> str | None:
    template = llama_cpp.llama_model_chat_template(model, None)
    return template.decode("utf-8", "replace") if template else None
