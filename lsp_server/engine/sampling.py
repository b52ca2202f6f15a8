"""Chooses a token from logits. Knows nothing of text: what is allowed is a list of token ids."""

from __future__ import annotations

import ctypes
import weakref
from typing import Protocol

import llama_cpp
import numpy as np
import numpy.typing as npt

from lsp_server.engine.job import Sampling

Logits = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.integer]

CONSIDERED = 1000
"""The tokens beyond share next to no probability, and sorting all 150,000 can take as long as a decode."""

_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama_token_data"""


class Sampler(Protocol):
    """A way of choosing; may have a state, so one belongs to one job."""

    def choose(self, logits: Logits, candidates: Tokens | None) -> int:
        """Return one of `candidates`, or of all tokens."""
        ...


def sampler(sampling: Sampling) -> Sampler:
    """Return the sampler a job asks for."""
    return ChainSampler(sampling) if sampling.temperature > 0 else GreedySampler()


class GreedySampler:
    """The most likely token; of equals, the one with the smallest position in the candidates."""

    def choose(self, logits: Logits, candidates: Tokens | None) -> int:
        """Return the most likely candidate."""
        if candidates is None:
            return int(logits.argmax())
        return int(candidates[logits[candidates].argmax()])


class ChainSampler:
    """llama.cpp's samplers: top_p, then temperature, then a draw, among the likeliest CONSIDERED tokens."""

    def __init__(self, sampling: Sampling) -> None:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_top_k(CONSIDERED))
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1))
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_temp(sampling.temperature))
        seed = llama_cpp.LLAMA_DEFAULT_SEED if sampling.seed is None else sampling.seed & 0xFFFFFFFF
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_dist(seed))
        self._chain = chain
        weakref.finalize(self, llama_cpp.llama_sampler_free, chain)

    def choose(self, logits: Logits, candidates: Tokens | None) -> int:
        """Draw one of the candidates."""
        data = np.empty(len(logits if candidates is None else candidates), _TOKEN_DATA)
        data["id"] = np.arange(len(logits)) if candidates is None else candidates
        data["logit"] = logits if candidates is None else logits[candidates]
        array = llama_cpp.llama_token_data_array(
            data=ctypes.cast(data.ctypes.data, llama_cpp.llama_token_data_p),
            size=len(data),
            selected=-1,
            sorted=False,
        )
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)
