"""A tiny extension for tests that runs JavaScript in the extension host, and the way to reach it.

What the screen does not show exactly is read through it: the text of a document, its cursor, an extension's
API. Nothing that a user does goes through it, but for opening files.
"""

from __future__ import annotations

import json
import socket
import zipfile
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent

_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="spy" Version="0.0.1" Publisher="tests"/>
    <DisplayName>spy</DisplayName>
    <Description>for tests</Description>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
  </Assets>
</PackageManifest>
"""
_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="json" ContentType="application/json"/>
  <Default Extension="js" ContentType="application/javascript"/>
  <Default Extension="vsixmanifest" ContentType="text/xml"/>
</Types>
"""

FOLDER_VARIABLE = "CODE_SPY_FOLDER"
"""Environment variable of the extension host: where the sockets are. Short, since sockets' names are."""


def package(path: Path) -> Path:
    """Write the extension as a `.vsix`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("extension.vsixmanifest", _MANIFEST)
        archive.writestr("[Content_Types].xml", _TYPES)
        for name in ("package.json", "spy.js"):
            archive.write(_HERE / name, f"extension/{name}")
    return path


class Spy:
    """The extension host of the window with one workspace."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        self._socket = folder / workspace.name

    def ready(self) -> bool:
        """Tell whether the window has come so far."""
        try:
            return self.run("return true") is True
        except OSError:
            return False

    def run(self, body: str, given: object = None) -> Any:  # noqa: ANN401
        """Run the body of an async JavaScript function of `vscode` and `given`; return what it returns."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(120)
            connection.connect(str(self._socket))
            connection.sendall(json.dumps({"body": body, "given": given}).encode())
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while part := connection.recv(1 << 16):
                received += part
        answer = json.loads(received)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]
