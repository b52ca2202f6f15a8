"""The entries of a code-action menu, as the client takes them. Owns which of them run when resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.features.action_call import ActionCall
from lsp_server.features.client import Client

if TYPE_CHECKING:
    from lsp_server.chat.actions.offer import Offer
    from lsp_server.chat.actions.site import Site

COMMAND, STOP = "lsp_server.runAction", "lsp_server.stopAction"
STOP_KIND = "source.codestral.stop"
QUICK_FIX = types.CodeActionKind.QuickFix.value


def entries(
    client: Client, site: Site, offers: Iterable[Offer], call: ActionCall, *, preview: bool
) -> Iterator[types.Command | types.CodeAction]:
    """Yield what is in the menu; `call` says where it was opened, with the diagnostics of `site`."""
    # A client that shows edits only when it is asked to apply them is asked to.
    resolves = client.resolves_edits and (client.previews_actions or not (client.annotations and preview))
    diagnostics = dict(zip(site.diagnostics, call.diagnostics, strict=True))
    for offer in offers:
        own = tuple(diagnostics[found] for found in offer.target.diagnostics if found in diagnostics)
        for title, answers in _variants(offer, client):
            data = replace(
                call, action=offer.file.id, diagnostics=own, answers=answers, wait=client.waits
            ).to_wire()
            command = types.Command(title, COMMAND, arguments=[data])
            if not client.literals:
                yield command
                continue
            # A file that is made can be shown only by who knows when it is made.
            shown = client.applies and client.shows_documents and offer.file.output == "new_file"
            runs_at_resolve = resolves and offer.file.output != "markdown" and not shown
            yield types.CodeAction(
                title,
                kind=offer.file.kind,
                diagnostics=own if own and within(offer.file.kind, QUICK_FIX) else None,
                data=data if runs_at_resolve else None,
                command=None if runs_at_resolve else command,
            )


def stops(
    client: Client, uri: str, under_way: Mapping[str, str]
) -> Iterator[types.Command | types.CodeAction]:
    """Yield the entries that end what runs on a document: many editors have no other way to cancel it."""
    for action, title in under_way.items():
        arguments = [{"action": action, "uri": uri}]
        command = types.Command(f"Stop: {title}", STOP, arguments=arguments)
        yield types.CodeAction(command.title, kind=STOP_KIND, command=command) if client.literals else command


def _variants(offer: Offer, client: Client) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the entries of an action: one, or one for each answer where a client has not said it can ask."""
    question = offer.file.question
    if question is None or client.asks or not question.choices:
        yield offer.title, {}
        return
    for choice in question.choices:
        yield f"{offer.title}: {choice}", {question.variable: choice}


def within(kind: str, of: str) -> bool:
    """Tell whether a kind is another one or one below it."""
    return of in ("", kind) or kind.startswith(f"{of}.")


def unasked(context: types.CodeActionContext) -> bool:
    """Tell whether the editor asks by itself, as VS Code does at each move of the cursor."""
    return context.trigger_kind is types.CodeActionTriggerKind.Automatic
