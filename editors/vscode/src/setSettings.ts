/**
 * The options that somebody has set, as the server takes them, and the settings that it names. Pure.
 *
 * VS Code's defaults are left out: they would lie over the user's configuration file.
 */

/** What VS Code knows of one setting; a part of what `WorkspaceConfiguration.inspect` returns. */
export interface Inspection {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/** Keys of the extension's own settings: the server reports what it does not know. */
const OWN = ["server.", "trace."];

/** Say whether a setting (without the section's name) is the extension's own. */
export function isOwn(key: string): boolean {
  return OWN.some((start) => key.startsWith(start));
}

/** Return the options among `keys` that are set, as a tree; undefined where `inspect` does not know one. */
export function setSettings(
  keys: readonly string[],
  inspect: (key: string) => Inspection | undefined,
): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const key of keys.filter((each) => !isOwn(each))) {
    const found = inspect(key);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined && value !== null) put(tree, key.split("."), value);
  }
  return tree;
}

/** Return the setting among `keys` that holds an option; undefined if none does. */
export function holding(keys: readonly string[], option: string): string | undefined {
  return keys.find((key) => option === key || option.startsWith(`${key}.`));
}

function put(tree: Record<string, unknown>, [first = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const table = (tree[first] ??= {}) as Record<string, unknown>;
  put(table, rest, value);
}
