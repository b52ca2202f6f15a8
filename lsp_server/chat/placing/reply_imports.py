"""The imports that a reply brings along, and the reply without them."""

from __future__ import annotations

from lsp_server.chat.actions.site import Target
from lsp_server.documents.outline import imports
from lsp_server.documents.syntax import parse

_BY_CALL = frozenset({"ruby", "bash"})
"""Languages that import by a call, which may stand anywhere and stays where it is."""


def imports_in(code: str, target: Target) -> tuple[str, ...]:
    """Return the imports of a piece of code in the target's language."""
    if target.language.name in _BY_CALL:
        return ()
    code = _with_tag(code, target)
    tree = parse(code, target.language)
    found = [code[slice(*item)] for item in imports(tree)] if tree is not None else []
    return tuple(item for item in found if not item.startswith(("package ", "namespace ")))


def without_imports(code: str, target: Target) -> str:
    """Return code without the lines of the imports, and of a package, at its margin."""
    text = _with_tag(code, target)
    tree = parse(text, target.language)
    gone = {0} if text != code else set()
    for start, end in imports(tree) if tree is not None else ():
        if start == text.rfind("\n", 0, start) + 1:  # else it is inside of something
            gone.update(range(text.count("\n", 0, start), text.count("\n", 0, end) + 1))
    return "\n".join(line for at, line in enumerate(text.split("\n")) if at not in gone).strip("\n")


def _with_tag(code: str, target: Target) -> str:
    return f"<?php\n{code}" if target.language.name == "php" and "<?" not in code else code
