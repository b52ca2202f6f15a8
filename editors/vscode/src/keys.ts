/**
 * API keys in VS Code's secret storage, for backends by name. Owns how they are asked for.
 *
 * Keys are shown nowhere and reach the server through its environment only.
 */
import * as vscode from "vscode";

import known from "./backends.json" with { type: "json" };

const SECRET = "keys";

type Keys = Readonly<Record<string, string>>;

/** Return all keys. */
export async function storedKeys(secrets: vscode.SecretStorage): Promise<Keys> {
  const stored = await secrets.get(SECRET);
  return stored === undefined ? {} : (JSON.parse(stored) as Keys);
}

/** Call back when keys have changed, here or in another window. */
export function onKeys(secrets: vscode.SecretStorage, changed: () => void): vscode.Disposable {
  return secrets.onDidChange(({ key }) => {
    if (key === SECRET) changed();
  });
}

/** Ask for a backend (`configured` are the user's own) and its key, and keep the key. */
export async function setKey(secrets: vscode.SecretStorage, configured: readonly string[]): Promise<void> {
  const keys = await storedKeys(secrets);
  const items = backends(configured).map(({ name, title }) => ({
    label: name,
    description: title,
    ...(name in keys ? { detail: "has a key" } : {}),
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: "Set an API Key",
    placeHolder: "For which backend?",
    matchOnDescription: true,
  });
  if (chosen === undefined) return;
  const key = await vscode.window.showInputBox({
    title: `API Key for ${chosen.label}`,
    prompt: "It is kept in the secret storage of VS Code, on the machine you sit at.",
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === "" ? "Paste the key, or press Escape." : undefined),
  });
  if (key !== undefined) await store(secrets, { ...keys, [chosen.label]: key.trim() });
}

/** Ask for a backend and forget its key. */
export async function removeKey(secrets: vscode.SecretStorage): Promise<void> {
  const keys = await storedKeys(secrets);
  const names = Object.keys(keys);
  if (names.length === 0) {
    void vscode.window.showInformationMessage("There are no API keys in the secret storage of VS Code.");
    return;
  }
  const chosen = await vscode.window.showQuickPick(names, { title: "Remove an API Key", placeHolder: "Of which backend?" });
  if (chosen === undefined) return;
  await store(secrets, Object.fromEntries(Object.entries(keys).filter(([name]) => name !== chosen)));
}

async function store(secrets: vscode.SecretStorage, keys: Keys): Promise<void> {
  if (Object.keys(keys).length === 0) await secrets.delete(SECRET);
  else await secrets.store(SECRET, JSON.stringify(keys));
}

/** The user's own backends first, then those that are known by name and want a key. */
function backends(configured: readonly string[]): { readonly name: string; readonly title: string }[] {
  const mine = configured.map((name) => known.find((each) => each.name === name) ?? { name, title: "your backend" });
  return [...mine, ...known.filter(({ name }) => !configured.includes(name))];
}
