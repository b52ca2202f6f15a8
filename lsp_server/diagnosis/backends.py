"""One backend over the network or in another process: there, key, model, fill-in-the-middle, how fast.

The text that is sent is `trial`'s own, never the user's; no key is shown, only where it was found.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from difflib import get_close_matches

from lsp_server.backends import presets, profiles, router
from lsp_server.backends.endpoint import shown
from lsp_server.backends.failures import ConnectionRefused
from lsp_server.backends.guarded import Guarded
from lsp_server.backends.protocol import Backend, FindsOut, Lists
from lsp_server.diagnosis import trial
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.errors import (
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    RequestRejected,
    UserFacingError,
)
from lsp_server.settings import BackendSettings, Settings

PATIENCE_S = 20.0
"""For a server that says nothing; one that says it loads a model is waited for as long as it does."""

SHOWN = 3
"""Models named of those that a server lists: some have hundreds."""


async def examine(settings: Settings, name: str) -> AsyncIterator[Finding]:
    """Check the backend `name` step by step; the first step that fails ends it."""
    try:
        config = presets.resolved(settings, name)
        key = await asyncio.to_thread(router.find_key, settings, name)
        backend = router.build(settings, name)
    except UserFacingError as error:
        yield problem(name, str(error))
        return
    destination = profiles.destination(config, settings.privacy)
    place = shown(config.base_url) if config.base_url else "this installation"
    yield ok(name, f"{place}, type {config.type}, {destination.value}")
    if key is not None:
        yield ok(name, f"there is a key ({key.place})")
    try:
        async for finding in _ask(name, config, backend, has_key=key is not None):
            yield finding
    finally:
        await backend.aclose()


async def _ask(
    name: str, config: BackendSettings, backend: Backend, *, has_key: bool
) -> AsyncIterator[Finding]:
    inner = backend.inner if isinstance(backend, Guarded) else backend
    try:
        yield await _reach(name, backend)
        async for finding in _prepare(name, backend):
            yield finding
        if isinstance(inner, Lists):
            yield await _model(name, config, inner)
        if isinstance(inner, FindsOut):
            yield ok(name, f"fill-in-the-middle: {inner.found()}")
        outcome = await trial.complete(backend)
    except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
        yield problem(
            name, "no answer for a long time", f"Check backends.{name}.base_url, or wait and try again."
        )
        return
    except UserFacingError as error:
        yield problem(name, str(error), _advice(name, error))
        return
    if config.type != "llm":  # its library has keys of its own
        # For sure only now: many list their models to anybody.
        yield ok(name, "the key is accepted" if has_key else "no key is needed")
    model = (inner.asks() if isinstance(inner, FindsOut) else config.model) or "its model"
    times = f"first text after {outcome.first_s * 1000:.0f} ms, all after {outcome.total_s * 1000:.0f} ms"
    if outcome.text.strip():
        yield ok(name, f"{model} completes; {times}")
    else:
        advice = f"Set backends.{name}.model to one that has learnt fill-in-the-middle."
        yield warning(name, f"{model} answers, but with nothing", advice)


async def _reach(name: str, backend: Backend) -> Finding:
    started = time.monotonic()
    await asyncio.wait_for(backend.probe(), PATIENCE_S)
    return ok(name, f"reachable; answers after {(time.monotonic() - started) * 1000:.0f} ms")


async def _prepare(name: str, backend: Backend) -> AsyncIterator[Finding]:
    """Make ready, telling what that waits for, and what should be known."""
    told = ""
    async with aclosing(backend.prepare()) as states:
        async for state in states:
            if state.message and state.message != told:
                told = state.message
                yield warning(name, told) if state.ready else ok(name, told)


async def _model(name: str, config: BackendSettings, backend: Lists) -> Finding:
    """Tell whether the model is among those that the server lists; some servers list only a part."""
    try:
        there = await asyncio.wait_for(backend.models(), PATIENCE_S)
    except BackendRejected:
        there = []
    if not config.model:
        more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
        return ok(name, f"the server has {', '.join(there[:SHOWN]) or 'no models that it lists'}{more}")
    if config.model in there or f"{config.model}:latest" in there:  # the tag that Ollama adds
        return ok(name, f"the server has {config.model}")
    if not there:
        return ok(name, f"the server lists no models, so {config.model} may be there")
    near = ", ".join(get_close_matches(config.model, there, n=SHOWN, cutoff=0.3) or there[:SHOWN])
    return warning(name, f"the server does not list {config.model}", f"It has {near}.")


def _advice(name: str, error: UserFacingError) -> str:
    """Return what to do where the sentence itself does not say it."""
    if isinstance(error, RequestRejected):
        return f"Check backends.{name}.model and your account."
    if isinstance(error, BackendUnavailable) and not isinstance(error, ConnectionRefused | RateLimited):
        return (
            f"See what the server itself logs; if it is only slow, take a smaller model, or raise "
            f"backends.{name}.first_token_timeout_ms and completion.timeout_ms."
        )
    return ""
