"""Emacs in a terminal, on a home of its own, and questions to it that no key could answer.

Keys go through the terminal, as a user's do. What Emacs is asked beside them, by `emacsclient`, changes
nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.editors.editor import Environment, until
from tests.editors.install import emacs
from tests.editors.terminal import Terminal

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "editors/emacs"
GHOST_COLOUR = "#8a93a6"

_ANSWER_S = 60.0
"""For an answer, on a busy machine."""

_MOST_QUITS = 20
"""Ghost text may come back, and questions have several levels."""

_COLUMNS = 160
"""A mode line has a lot to say."""

_OURS = """
;; What a test needs besides: nothing on disk, nothing compiled meanwhile, no other servers, a colour.
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      native-comp-deferred-compilation nil native-comp-jit-compilation nil
      native-comp-enable-subr-trampolines nil
      warning-minimum-level :error suggest-key-bindings nil use-short-answers t confirm-kill-processes nil
      server-socket-dir {socket!r} lsp-enabled-clients '(codestral-lsp) lsp-auto-guess-root t
      lsp-enable-snippet nil lsp-headerline-breadcrumb-enable nil lsp-enable-suggest-server-download nil)
(menu-bar-mode -1)
(dolist (folder '({folders}))
  (add-to-list 'load-path folder)
  (dolist (file (directory-files folder t "-autoloads\\\\.el\\\\'")) (load file t t)))
(with-eval-after-load 'lsp-inline-completion
  (set-face-attribute 'lsp-inline-completion-overlay-face nil :foreground {colour!r} :inherit nil))
(server-start)
"""


def setup_lines() -> str:
    """Return the lines that the README tells users of lsp-mode to copy, made for this checkout."""
    [lines] = re.findall(
        r"```elisp\n(;; lsp-mode.*?)```", (PACKAGE / "README.md").read_text("utf-8"), re.DOTALL
    )
    return str(lines).replace("/path/to/codestral-lsp", str(ROOT))


class Session:
    """One Emacs."""

    def __init__(self, workspace: Path, home: Path, environment: Environment) -> None:
        """Start it with lsp-mode and the lines of the README."""
        # Names of sockets may have 107 bytes, and folders of tests have long names.
        self._folder = Path(tempfile.mkdtemp(prefix="emacs-"))
        folders = " ".join(json.dumps(str(path)) for path in emacs.packages())
        ours = _OURS.format(socket="@", folders=folders, colour="@@")
        ours = ours.replace("'@@'", json.dumps(GHOST_COLOUR)).replace("'@'", json.dumps(str(self._folder)))
        (home / ".emacs.d").mkdir(parents=True)
        (home / ".emacs.d/init.el").write_text(ours + setup_lines(), "utf-8")
        program = emacs.program()
        self._client = program.with_name("emacsclient")
        environment = {**environment, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        self.terminal = Terminal([str(program), "-nw"], workspace, environment, columns=_COLUMNS)
        until("the socket of Emacs", (self._folder / "server").exists)

    def ask(self, expression: str) -> Any:  # noqa: ANN401
        """Return what a Lisp expression is, in the buffer of the selected window, by way of JSON."""
        in_buffer = f"(with-current-buffer (window-buffer (selected-window)) {expression})"
        answer = self._folder / "answer"
        # By way of a file: what `emacsclient` prints loses its quoting where a long answer is cut on the way.
        write = f"(write-region (json-encode {in_buffer}) nil {json.dumps(str(answer))} nil 'silent)"
        asked = f"(let ((coding-system-for-write 'utf-8-unix)) (require 'json) {write})"
        ran = subprocess.run(
            [self._client, "-s", self._folder / "server", "--eval", asked],
            capture_output=True, text=True, timeout=_ANSWER_S, check=False,
        )  # fmt: skip
        if ran.returncode != 0:
            raise AssertionError(f"Emacs could not tell {expression}: {ran.stdout}{ran.stderr}")
        return json.loads(answer.read_text("utf-8"), strict=False)

    def quit(self) -> None:
        """Leave a question or ghost text, if there is any; Emacs drops keys that come right after Ctrl-G."""
        busy = "(and (or (active-minibuffer-window) (bound-and-true-p lsp-inline-completion--overlay)) t)"
        for _ in range(_MOST_QUITS):
            if self.ask(busy) is None:
                return
            self.terminal.send("\x07")
            with contextlib.suppress(AssertionError):
                until("the end of what was under way", lambda: self.ask(busy) is None, 1)
        raise AssertionError(f"Emacs does not leave what it is doing:\n{self.terminal.text()}")

    def close(self) -> None:
        """End Emacs as a user does, and by force if that takes too long."""
        self.quit()
        self.terminal.send("\x18\x03")  # Ctrl-X Ctrl-C
        with contextlib.suppress(AssertionError):
            until("a question", lambda: not self.terminal.alive or "(y" in self.terminal.text(), 5)
            self.terminal.send("!y")
            until("the end of Emacs", lambda: not self.terminal.alive, 5)
        self.terminal.close()
        shutil.rmtree(self._folder, ignore_errors=True)  # Emacs takes it along
