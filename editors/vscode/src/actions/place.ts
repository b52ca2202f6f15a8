/** Where the user is, in the words of the protocol. */
import * as vscode from "vscode";

import { isServed } from "../documents.ts";

/** As many as the server looks at. */
const MOST_DIAGNOSTICS = 50;

/** A place as `lsp_server.runAction` takes it. */
export interface Place {
  readonly uri: string;
  readonly version: number;
  readonly range: Range;
  readonly diagnostics: readonly Diagnostic[];
}

interface Range {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

interface Diagnostic {
  readonly range: Range;
  readonly message: string;
  readonly severity: number;
  readonly source?: string;
}

/** Return the selection of the active editor, and what is wrong near it; undefined without one of a file. */
export function activePlace(): Place | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || !isServed(editor.document.uri)) return undefined;
  const { document, selection } = editor;
  const near = vscode.languages
    .getDiagnostics(document.uri)
    .toSorted((one, other) => distance(one, selection) - distance(other, selection))
    .slice(0, MOST_DIAGNOSTICS);
  return {
    uri: document.uri.toString(),
    version: document.version,
    range: plain(selection),
    diagnostics: near.map(asDiagnostic),
  };
}

function distance(found: vscode.Diagnostic, selection: vscode.Selection): number {
  return Math.abs(found.range.start.line - selection.active.line);
}

function asDiagnostic(found: vscode.Diagnostic): Diagnostic {
  return {
    range: plain(found.range),
    message: found.message,
    severity: found.severity + 1, // the protocol counts from 1
    ...(found.source === undefined ? {} : { source: found.source }),
  };
}

function plain({ start, end }: vscode.Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
