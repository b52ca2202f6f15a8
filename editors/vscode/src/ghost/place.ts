/** A place in one version of a document. */
import * as vscode from "vscode";

/** Where ghost text was asked for. */
export class Place {
  readonly document: vscode.TextDocument;
  readonly #version: number;
  readonly #position: vscode.Position;

  constructor(document: vscode.TextDocument, position: vscode.Position) {
    this.document = document;
    this.#version = document.version;
    this.#position = position;
  }

  isAt(document: vscode.TextDocument, position: vscode.Position): boolean {
    return document === this.document && document.version === this.#version && position.isEqual(this.#position);
  }

  /** Tell whether the user is still there. */
  get isCurrent(): boolean {
    const editor = vscode.window.activeTextEditor;
    return editor?.selection.isEmpty === true && this.isAt(editor.document, editor.selection.active);
  }
}
