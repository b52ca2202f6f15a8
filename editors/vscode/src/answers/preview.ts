/** Where an answer opens: beside the code, where the last one was, without taking the cursor from the user. */
import * as vscode from "vscode";

/** VS Code's own preview, as an editor of Markdown files. */
const PREVIEW = "vscode.markdown.preview.editor";

/** Show a virtual Markdown document. */
export async function showBeside(uri: vscode.Uri): Promise<void> {
  const options = { viewColumn: column(uri.scheme), preserveFocus: true, preview: true };
  try {
    await vscode.commands.executeCommand("vscode.openWith", uri, PREVIEW, options);
  } catch {
    // The extension that has the preview may be turned off.
    await vscode.window.showTextDocument(uri, options);
  }
}

function column(scheme: string): vscode.ViewColumn {
  const shown = vscode.window.tabGroups.all.find((group) =>
    group.tabs.some(({ input }) => input instanceof vscode.TabInputCustom && input.uri.scheme === scheme),
  );
  return shown?.viewColumn ?? vscode.ViewColumn.Beside;
}
