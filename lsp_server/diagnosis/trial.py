"""Asking the model for one small completion. The text sent is this module's own, never the user's."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from lsp_server import __version__
from lsp_server.backends.protocol import Backend, FimRequest, Usage
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.engine import health
from lsp_server.engine.card import ask_card
from lsp_server.engine.state import EngineFiles
from lsp_server.errors import UserFacingError
from lsp_server.settings import CompletionSettings

PATIENCE_S = 180.0
"""Codestral on two cores needs two minutes for the prompt below."""

PROMPT_LINES = 20
"""About 200 tokens: half a second for a small model."""

DECODED_TOKENS = 32
"""Enough to measure; a small model writes them in half a second."""

MEASURABLE_TOKENS = 4
"""With fewer, the time of one token says little."""

LINE_TOKENS = 12
"""A typical one-line completion."""

SLOW_LINE_S = 1.0
"""Whoever types does not wait longer for the rest of a line."""


@dataclass(frozen=True)
class Outcome:
    """What came back, and when, in seconds after the request."""

    text: str
    usage: Usage | None
    first_s: float
    total_s: float


async def engine(model: Path) -> AsyncIterator[Finding]:
    """Tell what runs for `model` and how its prompts are built; the engine must be ready."""
    files = EngineFiles.of(model)
    async with health.open_client() as client:
        state = files.read_state()
        known = None if state is None else await health.ask_health(state, client)
        if state is None or known is None:
            yield problem("engine", "it has left again", f"Its log is {files.log}.")
            return
        if known.version != __version__:
            yield warning(
                "engine",
                f"process {known.pid} is of version {known.version}, this is {__version__}",
                "`lsp_server engine --stop` ends it; the next completion starts the new one.",
            )
        else:
            yield ok("engine", f"process {known.pid} answers; its log is {files.log}")
        card = await ask_card(state, client)
    text = f"{card.family}, {card.max_context_length} tokens for each prompt"
    if card.fim:
        yield ok("FIM family", text)
    else:
        yield warning(
            "FIM family",
            f"{text}: this model knows no fill-in-the-middle and sees only what precedes the cursor",
            "Take a model that knows it, from `lsp_server models list`.",
        )


async def speed(backend: Backend, settings: CompletionSettings) -> Finding:
    """Measure how fast the local model reads and writes here."""
    # A table that any model goes on with; its first line is new each time, or the KV cache would have it.
    lines = [f"    {number}: {number * number}," for number in range(1, PROMPT_LINES + 1)]
    prefix = "\n".join([f"# {secrets.token_hex(8)}", "SQUARES = {", *lines, ""])
    request = FimRequest(prefix, "", max_tokens=DECODED_TOKENS, document="doctor:speed")
    try:
        usage = (await _ask(backend, request)).usage
    except UserFacingError as error:
        return problem("speed", str(error))
    except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
        return problem("speed", f"no answer within {PATIENCE_S:.0f} s", "Take a smaller model.")
    if usage is None or not usage.prefill_ms or not usage.decode_ms:
        return warning("speed", "the engine has not told what the request cost", "Stop it and try again.")
    return _judged(usage.prefill_ms, usage.decode_ms, usage, settings)


def _judged(prefill_ms: float, decode_ms: float, usage: Usage, settings: CompletionSettings) -> Finding:
    reads = (usage.prompt_tokens - usage.cached_tokens) / prefill_ms * 1000
    text = (
        f"prefill {reads:.0f} tokens/s: a prompt of {settings.context_tokens} tokens takes "
        f"{settings.context_tokens / reads:.1f} s when it is new"
    )
    if usage.completion_tokens < MEASURABLE_TOKENS:
        return warning("speed", f"{text}; the model wrote too little to measure decoding")
    writes = usage.completion_tokens / decode_ms * 1000
    line_s = LINE_TOKENS / writes
    text += f"; decode {writes:.1f} tokens/s: a line of {LINE_TOKENS} tokens takes {line_s:.1f} s"
    if line_s > SLOW_LINE_S:
        advice = "Take a smaller model, a GPU build of llama-cpp-python, or end what else uses the CPU."
        return warning("speed", text, advice)
    return ok("speed", text)


async def complete(backend: Backend) -> Outcome:
    """Ask for a few tokens between two lines of this module's own; raises asyncio.TimeoutError."""
    return await _ask(backend, FimRequest("def add(a, b):\n    return ", "\n", max_tokens=8))


async def _ask(backend: Backend, request: FimRequest) -> Outcome:
    return await asyncio.wait_for(_read(backend, request), PATIENCE_S)


async def _read(backend: Backend, request: FimRequest) -> Outcome:
    started = time.monotonic()
    first_s, text, usage = None, "", None
    async with aclosing(backend.fim(request)) as chunks:
        async for chunk in chunks:
            first_s = first_s or time.monotonic() - started
            text += chunk.text
            usage = chunk.usage or usage
    total_s = time.monotonic() - started
    return Outcome(text, usage, first_s or total_s, total_s)
