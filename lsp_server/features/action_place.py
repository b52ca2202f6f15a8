"""From what a client says about a place to what the chat room knows: offsets, diagnostics, offers.

Converts positions once. Everything here parses or imports grammars: call it on a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.documents.positions import Encoding
from lsp_server.documents.snapshot import Snapshot
from lsp_server.features.action_call import ActionCall
from lsp_server.features.action_state import ActionState

if TYPE_CHECKING:
    from lsp_server.chat.actions.offer import Offer
    from lsp_server.chat.actions.prompt_file import PromptFile
    from lsp_server.chat.actions.site import Diagnostic, Severity, Site

_SEVERITIES: dict[types.DiagnosticSeverity, Severity] = {
    types.DiagnosticSeverity.Error: "error",
    types.DiagnosticSeverity.Warning: "warning",
    types.DiagnosticSeverity.Information: "information",
    types.DiagnosticSeverity.Hint: "hint",
}


def offsets(snapshot: Snapshot, place: types.Range, encoding: Encoding) -> tuple[int, int]:
    """Return the offsets of a client's range; places outside of the text are its nearest end."""
    start = snapshot.lines.offset(place.start.line, place.start.character, encoding)
    end = snapshot.lines.offset(place.end.line, place.end.character, encoding)
    return start, max(start, end)


def diagnostic(snapshot: Snapshot, found: types.Diagnostic, encoding: Encoding) -> Diagnostic:
    """Return a client's diagnostic with offsets."""
    from lsp_server.chat.actions.site import Diagnostic

    start, end = offsets(snapshot, found.range, encoding)
    severity = _SEVERITIES.get(found.severity or types.DiagnosticSeverity.Error, "error")
    code = "" if found.code is None else str(found.code)
    message = found.message if isinstance(found.message, str) else found.message.value
    return Diagnostic(start, end, severity, message, found.source or "", code)


def menu(
    state: ActionState, snapshot: Snapshot, call: ActionCall, files: Sequence[PromptFile], encoding: Encoding
) -> tuple[Site, list[Offer]]:
    """Return what stands at a place and the actions that make sense there; `call` is for this snapshot."""
    from lsp_server.chat.actions.offer import offers
    from lsp_server.chat.actions.site import site

    start, end = offsets(snapshot, call.range, encoding)
    wrong = tuple(diagnostic(snapshot, found, encoding) for found in call.diagnostics)
    here = site(snapshot, state.tree(snapshot), start, end, wrong)
    return here, offers(files, here)


def brought_along(base: Snapshot, now: Snapshot, call: ActionCall, encoding: Encoding) -> ActionCall:
    """Return a call for the text of `base` as one for the text of `now`."""
    from lsp_server.chat.editing.moved import moved

    def along(place: types.Range) -> types.Range:
        start, end = moved(base.text, now.text, *offsets(base, place, encoding))
        return types.Range(
            types.Position(*now.lines.position(start, encoding)),
            types.Position(*now.lines.position(end, encoding)),
        )

    wrong = tuple(
        types.Diagnostic(along(it.range), it.message, it.severity, it.code, source=it.source)
        for it in call.diagnostics
    )
    return replace(call, version=now.version, range=along(call.range), diagnostics=wrong)
