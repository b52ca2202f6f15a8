/** The settings of VS Code on their way to the server, and what the extension itself reads of them. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { setSettings } from "./setSettings.ts";

/** Name of the section, in every editor. */
export const SECTION = "lsp_server";

interface Manifest {
  readonly contributes: { readonly configuration: readonly { readonly properties: Record<string, unknown> }[] };
}

/** Return the extension's settings, without the section's name. */
export function settingsOf(context: vscode.ExtensionContext): string[] {
  const { contributes } = context.extension.packageJSON as Manifest;
  return contributes.configuration
    .flatMap((page) => Object.keys(page.properties))
    .map((key) => key.slice(SECTION.length + 1));
}

/** Show a setting where it is set, else where the user sets it. */
export async function openSetting(key: string): Promise<void> {
  const { workspaceValue } = vscode.workspace.getConfiguration(SECTION).inspect(key) ?? {};
  const page = workspaceValue === undefined ? "openSettings" : "openWorkspaceSettings";
  const query = `@id:${SECTION}.${key}`;
  await vscode.commands.executeCommand(`workbench.action.${page}`, page === "openSettings" ? query : { query });
}

/** Make the client tell what the user has set, and nothing else. */
export function sendSettings(middleware: Middleware, context: vscode.ExtensionContext): void {
  const keys = settingsOf(context);
  middleware.workspace = {
    ...middleware.workspace,
    configuration: async (params, token, next) => {
      const others = await next(params, token);
      return params.items.map((item, index): unknown => {
        if (item.section !== SECTION) return Array.isArray(others) ? (others as unknown[])[index] : null;
        const section = vscode.workspace.getConfiguration(SECTION);
        return setSettings(keys, (key) => section.inspect(key));
      });
    },
    // The server asks for what it wants; without this, all defaults would be sent along.
    didChangeConfiguration: (_sections, next) => next(undefined),
  };
}

/** Return one of the extension's own settings. */
export function ownSetting(key: "server.path" | "server.package"): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>(key, "").trim();
}

/** Return the languages without completions. */
export function disabledLanguages(): readonly string[] {
  return vscode.workspace.getConfiguration(SECTION).get<string[]>("completion.disabled_languages", []);
}

/** Offer completions in a language, or no longer; written where the list is set, else for the user. */
export async function turnLanguage(language: string, on: boolean): Promise<void> {
  const section = vscode.workspace.getConfiguration(SECTION);
  const { workspaceValue } = section.inspect<string[]>("completion.disabled_languages") ?? {};
  const others = disabledLanguages().filter((each) => each !== language);
  const target = workspaceValue === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
  await section.update("completion.disabled_languages", on ? others : [...others, language], target);
}
