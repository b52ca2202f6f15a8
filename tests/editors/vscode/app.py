"""A running VS Code with our extension, and its windows: a process, a browser, one page per workspace.

Owns their start and end. Must not know what is on the screen.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, Page

from tests.editors.browser import BrowserThread, browser, in_browser, window
from tests.editors.editor import until
from tests.editors.install import extension
from tests.editors.vscode import spy
from tests.editors.vscode.process import CodeProcess, Home

_START_MS = 120_000
"""For the workbench of a cold machine."""

_NOTICES = """
window.shownNotices = [];
new MutationObserver(() => {
  for (const toast of document.querySelectorAll('.notifications-toasts .notification-toast')) {
    // What is under way and can be cancelled is shown in the same place.
    if (toast.querySelector('.monaco-progress-container.active')) continue;
    const text = toast.querySelector('.notification-list-item-message')?.textContent;
    if (text && !window.shownNotices.includes(text)) window.shownNotices.push(text);
  }
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


class App:
    """One VS Code of one user."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = Home(home)
        self.home.prepare(environment["PATH"])
        self.home.install(spy.package(home / "spy.vsix"))
        self.home.install(extension.package())
        self._sockets = Path(tempfile.mkdtemp(prefix="spy-"))
        self.process = CodeProcess(self.home, environment, self._sockets)
        self.refused: list[str] = []
        """What the pages asked of other machines."""
        self.thread = BrowserThread()
        self._stack = contextlib.ExitStack()
        self._contexts: dict[str, BrowserContext] = {}
        try:
            self._browser = self.thread.call(self._start_browser)
        except BaseException:
            self.close()
            raise

    def _start_browser(self) -> Browser:
        return self._stack.enter_context(browser())

    @in_browser
    def show(self, workspace: Path, profile: str = "") -> Page:
        """Open a window on a folder; profiles share nothing, such as which folders are trusted."""
        if profile not in self._contexts:
            self._contexts[profile] = window(self._browser, self.refused)
            self._contexts[profile].add_init_script(_NOTICES)
        page = self._contexts[profile].new_page()
        page.goto(f"{self.process.url}/?folder={quote(str(workspace))}")
        page.locator(".monaco-workbench").wait_for(timeout=_START_MS)
        return page

    def spy(self, workspace: Path) -> spy.Spy:
        """Return the way into the extension host of the window with this folder, once it runs."""
        found = spy.Spy(self._sockets, workspace)
        until("the extension host", found.ready, _START_MS / 1000)
        return found

    def close(self) -> None:
        """End everything."""
        ends: list[Callable[[], object]] = [
            lambda: self.thread.call(self._stack.close),
            self.thread.end,
            self.process.close,
            lambda: shutil.rmtree(self._sockets),
        ]
        with contextlib.ExitStack() as stack:
            for end in reversed(ends):
                stack.callback(end)
