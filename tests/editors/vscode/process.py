"""The process of VS Code (code-server): its folders, its command `code`, its settings, its life.

Owns what is started and with what. Must not know pages, nor our extension's commands.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.editors.install import code_server
from tests.editors.install.node import NODE
from tests.editors.install.wrapper import wrapper
from tests.editors.vscode.spy import FOLDER_VARIABLE

_START_S = 120

SETTINGS: Mapping[str, object] = {
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": "off",
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.enableExperiments": False,
    "workbench.settings.enableNaturalLanguageSearch": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.layoutControl.enabled": False,
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "git.enabled": False,
    "remote.autoForwardPorts": False,
    "security.workspace.trust.startupPrompt": "always",
    "npm.fetchOnlinePackageInfo": False,
    # On a slow day its menu opens before ghost text comes, and Tab takes its entry first.
    "editor.wordBasedSuggestions": "off",
    "editor.minimap.enabled": False,
    "editor.accessibilitySupport": "off",
    "editor.fontFamily": "DejaVu Sans Mono",
    "files.autoSave": "off",
    "files.hotExit": "off",
    "window.title": "${activeEditorShort}",
}
"""A quiet editor: nothing asks outside, nothing of an earlier run comes back.

When it suggests is its own default.
"""

_NO_GALLERY = {
    "serviceUrl": "",
    "itemUrl": "",
    "resourceUrlTemplate": "",
    "controlUrl": "",
    "recommendationsUrl": "",
}


@dataclass(frozen=True)
class Home:
    """Where one VS Code keeps everything."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> Path:
        return self.data / "User/settings.json"

    def prepare(self, path: str) -> None:
        """Write a fresh user's settings, what the login shell sets, and the command `code`."""
        # VS Code takes its environment from a login shell, and /etc/profile begins PATH anew.
        (self.folder / ".profile").write_text(f"export PATH={shlex.quote(path)}\n", "utf-8")
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(json.dumps(SETTINGS, indent=1), "utf-8")
        (self.folder / "config.yaml").write_text("bind-addr: 127.0.0.1:0\nauth: none\ncert: false\n", "utf-8")
        code = self.commands / "code"
        code.parent.mkdir(exist_ok=True)
        program, *arguments = self.argv()
        wrapper(code, Path(program), {}, arguments)

    @property
    def commands(self) -> Path:
        """The folder of `code`, for `PATH`: the same command as the one of the desktop."""
        return self.folder / "bin"

    def argv(self) -> list[str]:
        """Return the command line of this VS Code, without what it is to do."""
        own = {"--config": "config.yaml", "--user-data-dir": "data", "--extensions-dir": "extensions"}
        entry = [str(NODE), str(code_server.entry())]
        return entry + [part for name, where in own.items() for part in (name, str(self.folder / where))]

    def variables(self) -> dict[str, str]:
        """Return the variables that keep it out of the real home and off the network."""
        return {
            "HOME": str(self.folder),
            "SHELL": "/bin/sh",
            "XDG_DATA_HOME": str(self.folder / ".local/share"),
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "EXTENSIONS_GALLERY": json.dumps(_NO_GALLERY),
        }

    def install(self, extension: Path) -> None:
        """Install a `.vsix`."""
        command = [str(self.commands / "code"), "--install-extension", str(extension)]
        env = {**os.environ, **self.variables()}
        ended = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_START_S, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def with_code(folder: Path) -> dict[str, str]:
    """Return variables for the commands of a user who has VS Code: `code` is on `PATH`. Starts nothing."""
    home = Home(folder)
    home.prepare(os.environ["PATH"])
    return {**os.environ, **home.variables(), "PATH": f"{home.commands}{os.pathsep}{os.environ['PATH']}"}


class CodeProcess:
    """One running VS Code that windows connect to."""

    def __init__(self, home: Home, environment: Mapping[str, str], sockets: Path) -> None:
        self._log = home.folder / "code.log"
        arguments = [
            "--disable-telemetry",
            "--disable-update-check",
            "--disable-getting-started-override",
            "--disable-file-downloads",
            "--disable-proxy",
            # Hosts of closed windows would stay for hours otherwise.
            *("--reconnection-grace-time", "2"),
        ]
        with self._log.open("wb") as log:
            self._process = psutil.Popen(
                [*home.argv(), *arguments],
                env={**os.environ, **environment, **home.variables(), FOLDER_VARIABLE: str(sockets)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = self._listening()

    def _listening(self) -> str:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.is_running():
            found = re.search(
                r"listening on (http://127\.0\.0\.1:\d+)", self._log.read_text("utf-8", "replace")
            )
            if found:
                return found[1]
            time.sleep(0.05)
        self.close()
        raise AssertionError(f"VS Code did not start:\n{self._log.read_text('utf-8', 'replace')[-2000:]}")

    def close(self) -> None:
        """End it and everything that it started, but for engines, which belong to every editor."""
        left = [process for process in self._descendants() if "engine" not in _command(process)]
        self._process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([self._process, *left], timeout=10)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=10)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return list(self._process.children(recursive=True))
        except psutil.NoSuchProcess:
            return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
