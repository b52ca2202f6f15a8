"""One window of VS Code, used as its documentation says: the adapter below the scenarios.

Must not know our server, and of our extension only the names that users see.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.editors.browser import in_browser
from tests.editors.editor import PATIENCE_S, Feature, Key, until
from tests.editors.vscode import screen
from tests.editors.vscode.app import App

KEYS = {
    Key.ACCEPT: "Tab",
    Key.ACCEPT_WORD: "Control+ArrowRight",
    Key.DISMISS: "Escape",
    Key.UNDO: "Control+z",
    Key.SAVE: "Control+s",
    Key.ENTER: "Enter",
    Key.BACKSPACE: "Backspace",
}
_PATIENCE_MS = PATIENCE_S * 1000
_PRESSES = 6
_STILL_MS = 100
"""Some frames of a busy machine."""
_PICTURE = ViewportSize(width=900, height=560)
"""What is on a picture can be read in a README, and little of it is empty."""
_SETTLED_MS = 500
"""For a window that has another size now."""

_OPEN = """
// What earlier tests left open goes, saved or not.
while (vscode.window.tabGroups.all.some((group) => group.tabs.length > 0)) {
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
}
const document = await vscode.workspace.openTextDocument(given.path);
const at = new vscode.Position(given.line, given.column);
const where = { viewColumn: vscode.ViewColumn.One, preview: false };
const editor = await vscode.window.showTextDocument(document, where);
editor.selection = new vscode.Selection(at, at);
await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
return document.getText();
"""
_SCHEME = "return vscode.window.activeTextEditor?.document.uri.scheme"
_FRONT = "return vscode.window.activeTextEditor?.document.getText() ?? ''"
_TEXT = "return vscode.workspace.textDocuments.find((one) => one.uri.fsPath === given)?.getText()"
_CHANGE = """
const settings = vscode.workspace.getConfiguration(given.section);
await settings.update(given.key, given.value ?? undefined, vscode.ConfigurationTarget.Global);
"""
_CURSOR = """
const editor = vscode.window.activeTextEditor;
return [editor.selection.active.line, editor.selection.active.character];
"""


class Window:
    """Implements `Editor`; methods besides are for tests of VS Code alone."""

    def __init__(
        self,
        app: App,
        workspace: Path,
        artefacts: Path,
        *,
        name: str = "vscode",
        features: frozenset[Feature] = frozenset(Feature),
        profile: str = "",
        trusted: bool = True,
        alone: bool = False,
    ) -> None:
        self.name, self.features, self.workspace = name, features, workspace
        self.app, self.thread = app, app.thread
        self._artefacts, self._alone = artefacts, alone
        self._path = workspace
        self.page: Page = app.show(workspace, profile)
        self._click(screen.TRUST.format(answer="Yes" if trusted else "No"))
        self.spy = app.spy(workspace)
        self.spy.run("await vscode.commands.executeCommand('workbench.action.closeSidebar')")

    def open(self, path: Path, line: int, column: int) -> None:
        self._path = path
        self.press(Key.DISMISS)
        wanted = path.read_bytes().decode("utf-8")
        at = {"path": str(path), "line": line, "column": column}
        until("the file as it is on disk", lambda: self.spy.run(_OPEN, at) == wanted)
        until("the server", self.server_pid)
        until("its answer", self.ready)

    def open_notebook(self, path: Path) -> None:
        """Show a notebook, the cursor in its last cell."""
        self.spy.run("vscode.commands.executeCommand('vscode.open', vscode.Uri.file(given))", str(path))
        self._click_last(screen.CELL)
        until("the cell", lambda: self.spy.run(_SCHEME) == "vscode-notebook-cell")

    @in_browser
    def _click_last(self, selector: str) -> None:
        self.page.locator(selector).last.click(timeout=_PATIENCE_MS)

    def ready(self) -> bool:
        """Tell whether the server answers."""
        return re.search("looking for|starting|loading|ended|not found|^$", self.status()) is None

    @in_browser
    def type(self, text: str, pause_s: float = 0.05) -> None:
        self.page.keyboard.type(text, delay=pause_s * 1000)

    @in_browser
    def press(self, key: Key) -> None:
        if key is Key.UNDO:
            self.page.keyboard.press("Control+1")
        self.page.keyboard.press(KEYS[key])

    @in_browser
    def keys(self, *names: str) -> None:
        """Press keys by their names."""
        for name in names:
            self.page.keyboard.press(name)

    def move(self, line: int, column: int) -> None:
        at_line, _ = self.cursor()
        steps = line - at_line
        vertical = ["ArrowDown" if steps > 0 else "ArrowUp"] * abs(steps)
        # The second one goes before the indentation, if the first did not.
        self.keys(*vertical, "End", "Home")
        until("the line", lambda: self.cursor()[0] == line)
        if self.cursor()[1] != 0:
            self.keys("Home")
        until("the start of the line", lambda: self.cursor() == (line, 0))
        self.keys(*["ArrowRight"] * column)
        until("the column", lambda: self.cursor() == (line, column))

    def cursor(self) -> tuple[int, int]:
        """Return the line and the UTF-16 column of the cursor."""
        line, column = self.spy.run(_CURSOR)
        return line, column

    @in_browser
    def ghost(self) -> str:
        # Its lines are drawn one after the other; what is read stood still for a moment.
        seen = str(self.page.evaluate(screen.GHOST))
        while seen:
            self.page.wait_for_timeout(_STILL_MS)
            before, seen = seen, str(self.page.evaluate(screen.GHOST))
            if seen == before:
                break
        return seen

    def text(self) -> str:
        return str(self.spy.run(_TEXT, str(self._path)))

    def front(self) -> str:
        """Return the text of the document in front, whichever it is."""
        return str(self.spy.run(_FRONT))

    def choose_action(self, title: str) -> None:
        # What was closed gives the focus back a moment later.
        until("the cursor in the text", self.in_text)
        self.press_until_shown("Control+.", screen.MENU)
        self._click(f"{screen.MENU} .monaco-list-row.action", title)

    @in_browser
    def title_button(self, label: str) -> None:
        """Press a button in the title of the editor in front."""
        self.page.locator(f".editor-actions [aria-label^='{label}']").first.click(timeout=_PATIENCE_MS)

    def lens(self, title: str) -> None:
        """Press what stands above a line of the document in front."""
        self._click(screen.LENS, title)

    @in_browser
    def press_until_shown(self, keys: str, selector: str) -> None:
        """Press keys for a menu, again if nothing comes of it.

        VS Code asks for code actions by itself 250 ms after the cursor was moved, and forgets then that it
        was asked by hand; a user presses again.
        """
        shown = expect(self.page.locator(selector).first)
        for _ in range(_PRESSES - 1):
            self.page.keyboard.press(keys)
            with contextlib.suppress(AssertionError):
                shown.to_be_visible(timeout=_PATIENCE_MS / _PRESSES)
                return
        self.page.keyboard.press(keys)
        shown.to_be_visible(timeout=_PATIENCE_MS / _PRESSES)

    @in_browser
    def _click(self, selector: str, beginning: str = "") -> None:
        """Click the first of these elements whose text begins so."""
        self._found(selector, beginning).click(timeout=_PATIENCE_MS)

    def _found(self, selector: str, beginning: str = "") -> Locator:
        pattern = re.compile(rf"^\s*{re.escape(beginning)}", re.IGNORECASE)
        return self.page.locator(selector).filter(has_text=pattern).first

    @in_browser
    def preview(self) -> str:
        return str(self.page.evaluate(screen.PREVIEW, screen.APPLY))

    @in_browser
    def confirm(self) -> None:
        self._click(screen.APPLY)

    @in_browser
    def explanation(self) -> str:
        return screen.rendered_markdown(self.page)

    @in_browser
    def close_explanation(self) -> None:
        beside = self.page.locator(".editor-group-container").last
        beside.locator(".tab.active [aria-label^=Close]").first.click(timeout=_PATIENCE_MS)

    @in_browser
    def status(self) -> str:
        items = self.page.locator(screen.STATUS_ITEM)
        return items.first.inner_text() if items.count() else ""

    def select_backend(self, name: str) -> None:
        self.menu("Switch the Backend")
        self.pick(name)

    @in_browser
    def pick(self, entry: str) -> None:
        """Choose the entry of an open list that has this text."""
        rows = self.page.locator(f"{screen.QUICK_INPUT} .monaco-list-row").filter(has_text=entry)
        rows.first.click(timeout=_PATIENCE_MS)

    @in_browser
    def secret(self, text: str) -> None:
        """Type what is asked for without being shown."""
        field = self.page.locator(screen.SECRET)
        field.press_sequentially(text, timeout=_PATIENCE_MS)
        field.press("Enter")

    @in_browser
    def shown(self, button: str) -> bool:
        """Tell whether a message with this button is on the screen."""
        return self._found(screen.NOTICE_BUTTON, button).count() > 0

    @in_browser
    def in_text(self) -> bool:
        """Tell whether what is typed goes into an editor of text."""
        return bool(self.page.evaluate(screen.IN_TEXT))

    @in_browser
    def suggestions(self) -> list[str]:
        """Return the entries of the menu of suggestions that is open."""
        return self.page.locator(screen.SUGGESTION).all_inner_texts()

    @in_browser
    def settings_listed(self) -> list[str]:
        """Return the names of the settings that the settings page lists."""
        return self.page.locator(screen.SETTING).all_inner_texts()

    def activation(self, extension: str) -> str:
        """Return what VS Code tells about how long an extension took to activate."""
        self.command("Developer: Show Running Extensions")
        return self._activation(extension)

    @in_browser
    def _activation(self, extension: str) -> str:
        row = self.page.locator(screen.RUNNING).filter(has_text=extension).first
        return row.locator(".activation-time").inner_text(timeout=_PATIENCE_MS)

    def answer_notice(self, button: str) -> None:
        """Press a button of a message that is on the screen."""
        self._click(screen.NOTICE_BUTTON, button)

    def menu(self, entry: str) -> None:
        """Choose an entry of the menu behind the status bar item."""
        self._click(screen.STATUS_ITEM)
        self.pick(entry)

    def command(self, title: str) -> None:
        """Run a command from the palette."""
        self.press_until_shown("F1", screen.QUICK_INPUT)
        self.type(title, 0)
        self.pick(title)

    def change_setting(self, key: str, value: object, section: str = "lsp_server") -> None:
        # What the settings page does, None takes it away; code-server does not watch the file.
        self.spy.run(_CHANGE, {"key": key, "value": value, "section": section})

    def server_pid(self) -> int:
        host = psutil.Process(self.spy.run("return process.pid"))
        return next((process.pid for process in host.children(recursive=True) if _is_server(process)), 0)

    @in_browser
    def notices(self) -> list[str]:
        return list(self.page.evaluate("() => window.shownNotices"))

    @in_browser
    def picture(self, name: str) -> Path:
        path = self._artefacts / f"{self.name}-{name}.png"
        whole = self.page.viewport_size
        self.page.set_viewport_size(_PICTURE)
        self.page.wait_for_timeout(_SETTLED_MS)
        self.page.screenshot(path=path)
        if whole is not None:
            self.page.set_viewport_size(whole)
        return path

    def close(self) -> None:
        if self._alone:
            self.app.close()
        else:
            self.thread.call(self.page.close)


def _is_server(process: psutil.Process) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return "--stdio" in line and any("lsp_server" in part for part in line)
