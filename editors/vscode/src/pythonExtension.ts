/**
 * The interpreters chosen in the Python extension, if it is there.
 *
 * https://github.com/microsoft/vscode-python/wiki/Python-Environment-APIs
 */
import * as vscode from "vscode";

/** The part of its API that is used. */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      environment: unknown,
    ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

/** It looks for all environments of the machine before it answers; the server must not wait for that for long. */
const PATIENCE_MS = 5000;

/** Return the interpreter of each folder, or of the window without any folder. */
export async function chosenInterpreters(folders: readonly vscode.Uri[]): Promise<string[]> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) return [];
  const late = new Promise<string[]>((resolve) => setTimeout(resolve, PATIENCE_MS, []));
  return Promise.race([late, asked(extension, folders).catch(() => [])]);
}

async function asked(extension: vscode.Extension<PythonApi>, folders: readonly vscode.Uri[]): Promise<string[]> {
  const { environments } = await extension.activate();
  if (environments === undefined) return [];
  const found: string[] = [];
  for (const folder of folders.length > 0 ? folders : [undefined]) {
    const chosen = environments.getActiveEnvironmentPath(folder);
    const environment = await environments.resolveEnvironment(chosen);
    const path = environment?.executable.uri?.fsPath;
    if (path !== undefined) found.push(path);
  }
  return found;
}
