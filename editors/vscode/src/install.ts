/**
 * Installs the server into a virtual environment of this extension's own, when the user asks for it.
 *
 * Owns what is asked and shown; which Python is used is `python.ts`'s.
 */
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";

import * as vscode from "vscode";

import { ownSetting } from "./configuration.ts";
import { inEnvironment } from "./findServer.ts";
import { end, spawnGroup } from "./processes.ts";
import { findMaker, type Maker } from "./python.ts";
import { withExtra } from "./requirement.ts";
import { installedFolder } from "./search.ts";

const LOCAL = {
  label: "With a model on this machine",
  detail: "Takes minutes, and a C++ compiler: llama.cpp is compiled. The model is fetched on first use.",
  extra: "local",
};
const REMOTE = {
  label: "Without",
  detail: "For Mistral's API, Ollama, llama.cpp's server and others. Done in seconds.",
  extra: "",
};

/** Ask what to install and install it; return whether there is a server now. */
export async function install(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Promise<boolean> {
  const choice = await vscode.window.showQuickPick([LOCAL, REMOTE], { title: "Install the Server of Codestral LSP" });
  if (choice === undefined) return false;
  const requirement = ownSetting("server.package");
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: "Installing the server of Codestral LSP",
    cancellable: true,
  };
  const failure = await vscode.window.withProgress(options, async (progress, token) => {
    const maker = await findMaker();
    if (maker === undefined) return "There is no Python of version 3.10 or later, and no uv, on this machine.";
    const run = new Installation(log, progress, token);
    return run.into(installedFolder(context), maker, choice.extra === "" ? requirement : withExtra(requirement, choice.extra));
  });
  if (failure === "") return true;
  if (failure !== CANCELLED) void tell(failure, log);
  return false;
}

const CANCELLED = "cancelled";
/** A line of the notification; pip names all packages in one of its lines. */
const SHOWN = 60;

class Installation {
  readonly #log: vscode.LogOutputChannel;
  readonly #progress: vscode.Progress<{ message: string }>;
  readonly #token: vscode.CancellationToken;

  constructor(
    log: vscode.LogOutputChannel,
    progress: vscode.Progress<{ message: string }>,
    token: vscode.CancellationToken,
  ) {
    this.#log = log;
    this.#progress = progress;
    this.#token = token;
  }

  /** Return why it failed; empty if it did not. */
  async into(folder: string, maker: Maker, requirement: string): Promise<string> {
    await rm(folder, { recursive: true, force: true });
    const python = inEnvironment(folder, process.platform, "python");
    for (const [command = "", ...args] of [maker.environment(folder), maker.install(python, requirement)]) {
      const failure = await this.#step(command, args);
      if (failure === "") continue;
      await rm(folder, { recursive: true, force: true }); // half an installation would be found the next time
      return failure;
    }
    return "";
  }

  #step(command: string, args: readonly string[]): Promise<string> {
    this.#log.info(`Running ${[command, ...args].join(" ")}`);
    const child = spawnGroup(command, args);
    const cancelled = this.#token.onCancellationRequested(() => {
      end(child);
    });
    let last = "";
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        if (line.trim() === "") return;
        last = line.trim();
        this.#log.info(last);
        this.#progress.report({ message: last.slice(0, SHOWN) });
      });
    }
    return new Promise((resolve) => {
      const done = (failure: string): void => {
        cancelled.dispose();
        resolve(this.#token.isCancellationRequested ? CANCELLED : failure);
      };
      child.once("error", (error) => {
        done(error.message);
      });
      child.once("close", (status) => {
        done(status === 0 ? "" : last);
      });
    });
  }
}

async function tell(failure: string, log: vscode.LogOutputChannel): Promise<void> {
  const show = "Show Log";
  const message = `The server of Codestral LSP was not installed: ${failure}`;
  if ((await vscode.window.showErrorMessage(message, show)) === show) log.show();
}
