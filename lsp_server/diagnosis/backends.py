"""One backend over the network or in another process: there, key, model, fill-in-the-middle, how fast.

The text that is sent is `trial`'s own, never the user's; no key is shown, only where it was found.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from difflib import get_close_matches

from lsp_server.backends import presets, router
from lsp_server.backends.guarded import Guarded
from lsp_server.backends.protocol import Backend, FindsOut, Lists
from lsp_server.diagnosis import trial
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.errors import BackendRejected, UserFacingError
from lsp_server.keys.key import Key
from lsp_server.settings import BackendSettings, Settings

PATIENCE_S = 20.0
"""For a server that says nothing; one that says it loads a model is waited for as long as it does."""


async def examine(settings: Settings, name: str) -> AsyncIterator[Finding]:
    """Check the backend `name` step by step; the first step that fails ends it."""
    try:
        config = presets.resolved(settings, name)
        key = await asyncio.to_thread(router.find_key, settings, name)
        backend = router.build(settings, name)
    except UserFacingError as error:
        yield problem(name, str(error))
        return
    destination = router.destination(config, settings.privacy)
    yield ok(name, f"{config.type} at {config.base_url or 'this installation'}, {destination.value}")
    yield _key(name, config, key)
    try:
        async for finding in _ask(name, config, backend):
            yield finding
    finally:
        await backend.aclose()


def _key(name: str, config: BackendSettings, key: Key | None) -> Finding:
    if key is not None:
        return ok(name, f"there is a key ({key.place})")
    where = f"{config.api_key_env}, or " if config.api_key_env else ""
    return ok(name, f"there is no key; if it wants one: {where}`lsp_server keys set {name}`")


async def _ask(name: str, config: BackendSettings, backend: Backend) -> AsyncIterator[Finding]:
    try:
        yield await _reach(name, backend)
        async with aclosing(backend.prepare()) as states:
            async for _ in states:
                pass
    except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
        yield problem(name, f"no answer within {PATIENCE_S:.0f} s", "Is it the right address and port?")
        return
    except UserFacingError as error:
        yield problem(name, str(error), _advice(name, error))
        return
    inner = backend.inner if isinstance(backend, Guarded) else backend
    try:
        if isinstance(inner, Lists):
            yield await _model(name, config, inner)
        if isinstance(inner, FindsOut):
            yield ok(name, f"fill-in-the-middle: {inner.found()}")
        yield await _complete(name, config, backend)
    except asyncio.TimeoutError:
        yield problem(name, f"no completion within {trial.PATIENCE_S:.0f} s", "Try a smaller model.")
    except UserFacingError as error:
        yield problem(name, str(error), _advice(name, error))


async def _model(name: str, config: BackendSettings, backend: Lists) -> Finding:
    """Tell whether the model is among those that the server lists; some servers list only a part."""
    there = await asyncio.wait_for(backend.models(), PATIENCE_S)
    if not config.model:
        return ok(name, f"the server has {', '.join(there[:3]) or 'no models that it lists'}")
    if config.model in there:
        return ok(name, f"the server has {config.model}")
    if not there:
        return ok(name, f"the server lists no models, so {config.model} may be there")
    near = ", ".join(get_close_matches(config.model, there, n=3, cutoff=0.3) or there[:3])
    return warning(name, f"the server does not list {config.model}", f"It has {near}.")


async def _reach(name: str, backend: Backend) -> Finding:
    started = time.monotonic()
    await asyncio.wait_for(backend.probe(), PATIENCE_S)
    return ok(name, f"reachable, and the key is accepted; answers after {_ms(started)}")


async def _complete(name: str, config: BackendSettings, backend: Backend) -> Finding:
    outcome = await trial.complete(backend)
    model = config.model or "its own model"
    times = f"first text after {outcome.first_s * 1000:.0f} ms, all after {outcome.total_s * 1000:.0f} ms"
    if not outcome.text.strip():
        return warning(name, f"{model} answers, but with nothing", f"Check backends.{name}.model.")
    return ok(name, f"{model} completes; {times}")


def _advice(name: str, error: UserFacingError) -> str:
    if isinstance(error, BackendRejected):
        return f"Check backends.{name}.model and your account." if error.status not in (401, 403) else ""
    return f"Check backends.{name}.base_url, the network and the proxy variables."


def _ms(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
