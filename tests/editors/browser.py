"""A headless browser on a thread of its own, for editors that run in one and for drawing pictures.

Playwright's calls that wait need the thread they were started on, and leave an event loop running there: on
the tests' own thread no asynchronous test could run any more.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Route, ViewportSize, sync_playwright

from tests.editors.install.chromium import chromium

WIDTH, HEIGHT = 1280, 800

_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The shared memory of containers is small.
    "--disable-dev-shm-usage",
)
_OWN_HOSTS = {"127.0.0.1", "localhost"}
_LOCAL_SCHEMES = {"data", "blob", "file"}

P = ParamSpec("P")
R = TypeVar("R")


class BrowserThread:
    """The thread that all calls of one browser are made on."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="browser")
        self._thread = self._pool.submit(threading.get_ident).result()

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function there and return its result."""
        if threading.get_ident() == self._thread:
            return function(*args, **kwargs)
        return self._pool.submit(function, *args, **kwargs).result()

    def end(self) -> None:
        """End the thread."""
        self._pool.shutdown()


class InBrowser(Protocol):
    """Whose methods talk to a browser."""

    thread: BrowserThread


S = TypeVar("S", bound=InBrowser)


def in_browser(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a method on the thread of its object's browser."""

    @functools.wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.thread.call(method, self, *args, **kwargs)

    return run


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser; only on one `BrowserThread`."""
    found = chromium()
    with sync_playwright() as playwright:
        # Without its sandbox, which root and most containers cannot have: it shows nothing but our own pages.
        running = playwright.chromium.launch(
            executable_path=found.program,
            headless=True,
            args=_ARGUMENTS,
            env={**os.environ, **found.variables},
        )
        try:
            yield running
        finally:
            running.close()


def window(running: Browser, refused: list[str]) -> BrowserContext:
    """Open a window with a profile of its own; `refused` gets what it asked of other machines in vain."""
    context = running.new_context(viewport=ViewportSize(width=WIDTH, height=HEIGHT))

    def check(route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname in _OWN_HOSTS or url.scheme in _LOCAL_SCHEMES:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    context.route("**/*", check)
    return context
