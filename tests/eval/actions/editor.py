"""An editor without a screen: opens a file in the real server, runs a code action, and does what it says."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.uris import to_fs_path

from tests.eval.actions.case import MESSAGE, Case
from tests.eval.actions.scoring import Outcome
from tests.eval.actions.toolchains import Finding

SECONDS = 600
"""For one action: a first request waits for the model to load, and a weak machine writes slowly."""

CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32]),
    workspace=types.WorkspaceClientCapabilities(
        apply_edit=True,
        workspace_edit=types.WorkspaceEditClientCapabilities(
            document_changes=True,
            resource_operations=[types.ResourceOperationKind.Create],
            change_annotation_support=types.ChangeAnnotationsSupportOptions(),
        ),
    ),
    text_document=types.TextDocumentClientCapabilities(
        code_action=types.CodeActionClientCapabilities(
            code_action_literal_support=types.ClientCodeActionLiteralOptions(
                code_action_kind=types.ClientCodeActionKindOptions(value_set=[])
            ),
            data_support=True,
            honors_change_annotations=True,
            resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"]),
        )
    ),
    window=types.WindowClientCapabilities(show_document=types.ShowDocumentClientCapabilities(support=True)),
)
"""Utf-32 makes a column a code point."""


class Editor:
    """One server process for one workspace at a time."""

    def __init__(self) -> None:
        self.client = LanguageClient("actions-evaluation", "1")
        self.asked_to_apply: list[types.WorkspaceEdit] = []
        self.messages: list[str] = []

        @self.client.feature(types.WORKSPACE_APPLY_EDIT)  # type: ignore[untyped-decorator]
        def _apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.asked_to_apply.append(params.edit)
            return types.ApplyWorkspaceEditResult(applied=True)

        @self.client.feature(types.WINDOW_SHOW_DOCUMENT)  # type: ignore[untyped-decorator]
        def _show(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            return types.ShowDocumentResult(success=True)

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def _say(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def run(
        self,
        file: Path,
        case: Case,
        findings: Sequence[Finding],
    ) -> Outcome:
        """Open a case's file, run its action at its place, and return what came of it; writes nothing."""
        uri, text = file.as_uri(), MESSAGE if case.is_commit else case.text
        language_id = "git-commit" if case.is_commit else case.language
        document = types.TextDocumentItem(uri, language_id, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        self.asked_to_apply.clear()
        self.messages.clear()
        try:
            return await asyncio.wait_for(self._run(uri, case, findings), SECONDS)
        except Exception as error:
            return Outcome(problem=f"{type(error).__name__}: {error}")
        finally:
            self.client.text_document_did_close(
                types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
            )

    async def _run(self, uri: str, case: Case, findings: Sequence[Finding]) -> Outcome:
        text, places = (MESSAGE, (0, 0)) if case.is_commit else (case.text, case.range)
        start, end = (_position(text, offset) for offset in places)
        wrong = [_diagnostic(finding) for finding in findings]
        if wrong:
            start = end = wrong[0].range.start
        offered = await self.client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(uri),
                types.Range(start, end),
                types.CodeActionContext(wrong, trigger_kind=types.CodeActionTriggerKind.Invoked),
            )
        )
        found = [_action(it) for it in offered or ()]
        chosen = next((it for it in found if str(it.kind).endswith(f".{case.action}")), None)
        if chosen is None:
            return Outcome(problem=f"not offered; there are {', '.join(it.title for it in found)}")
        markdown, doubtful = "", False
        if chosen.command is None:
            chosen = await self.client.code_action_resolve_async(chosen)
            edits = [chosen.edit] if chosen.edit is not None else []
        else:
            arguments = [_answered(argument, case.answer) for argument in chosen.command.arguments or ()]
            result = await self.client.workspace_execute_command_async(
                types.ExecuteCommandParams(chosen.command.command, arguments)
            )
            markdown = _value(result, "markdown")
            edits = self.asked_to_apply
        files: dict[Path, str] = {}
        for edit in edits:
            files.update(changed(edit))
            doubtful = doubtful or any(
                it.needs_confirmation for it in (edit.change_annotations or {}).values()
            )
        problem = "" if files or markdown else "; ".join(self.messages) or "no edit"
        return Outcome(files, markdown, problem, doubtful)


@asynccontextmanager
async def editor(root: Path, options: Mapping[str, object]) -> AsyncIterator[Editor]:
    """Start a server in a workspace, and end it."""
    this = Editor()
    await this.client.start_io(sys.executable, "-m", "lsp_server", "--stdio", "--log-level", "warning")
    await this.client.initialize_async(
        types.InitializeParams(
            capabilities=CAPABILITIES,
            root_uri=root.as_uri(),
            workspace_folders=[types.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options=dict(options),
        )
    )
    this.client.initialized(types.InitializedParams())
    try:
        yield this
    finally:
        await this.client.shutdown_async(None)
        this.client.exit(None)
        await this.client.stop()  # type: ignore[no-untyped-call]


def changed(edit: types.WorkspaceEdit) -> dict[Path, str]:
    """Return the whole text of each file that an edit changes or makes."""
    files: dict[Path, str] = {}
    for change in edit.document_changes or ():
        if isinstance(change, types.CreateFile):
            files[_path(change.uri)] = ""
        elif isinstance(change, types.TextDocumentEdit):
            path = _path(change.text_document.uri)
            text = files[path] if path in files else path.read_bytes().decode("utf-8")
            files[path] = applied(
                text, [it for it in change.edits if not isinstance(it, types.SnippetTextEdit)]
            )
    for uri, edits in (edit.changes or {}).items():
        files[_path(uri)] = applied(_path(uri).read_bytes().decode("utf-8"), list(edits))
    return files


def applied(text: str, edits: Sequence[types.TextEdit | types.AnnotatedTextEdit]) -> str:
    """Return a text with edits made by LSP's rules: all of them are for the text as it was."""
    places = [(_offset(text, it.range.start), _offset(text, it.range.end), it.new_text) for it in edits]
    for start, end, new in sorted(places, key=lambda place: place[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _path(uri: str) -> Path:
    path = to_fs_path(uri)
    assert path is not None, uri
    return Path(path)


def _position(text: str, offset: int) -> types.Position:
    before = text[:offset]
    return types.Position(before.count("\n"), offset - (before.rfind("\n") + 1))


def _offset(text: str, position: types.Position) -> int:
    lines = text.split("\n")
    if position.line >= len(lines):
        return len(text)
    column = min(position.character, len(lines[position.line]))
    return sum(len(line) + 1 for line in lines[: position.line]) + column


def _action(entry: types.Command | types.CodeAction) -> types.CodeAction:
    """Return an entry of the menu; lsprotocol takes an action that has a command for the command."""
    if isinstance(entry, types.CodeAction):
        return entry
    command = ast.literal_eval(entry.command)  # it has become the text of a dictionary
    action = command["arguments"][0].get("action", "")  # commands that run none have other arguments
    entry = types.Command(command["title"], command["command"], arguments=command["arguments"])
    return types.CodeAction(entry.title, kind=f"source.codestral.{action}", command=entry)


def _diagnostic(finding: Finding) -> types.Diagnostic:
    start, end = (types.Position(finding.line, column) for column in (finding.column, finding.end_column))
    return types.Diagnostic(
        range=types.Range(start, end), message=finding.message, source=finding.source,
        code=finding.code or None, severity=types.DiagnosticSeverity.Error,
    )  # fmt: skip


def _answered(argument: object, answer: str) -> object:
    """Return the argument of an action's command with the answer to its question."""
    if not answer or not isinstance(argument, Mapping):
        return argument
    return {**argument, "answers": {"to": answer}}


def _value(result: object, name: str) -> str:
    value = result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)
    return value if isinstance(value, str) else ""
