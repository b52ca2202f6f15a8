/** Which documents the server is told of: files on disk and new ones, and the cells of notebooks. Pure. */

/** No output, no comparisons, no results of a search. */
export const DOCUMENTS = [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "vscode-notebook-cell" }];

/** Tell whether the server knows a document with an address like this. */
export function isServed(uri: { readonly scheme: string }): boolean {
  return DOCUMENTS.some(({ scheme }) => scheme === uri.scheme);
}
