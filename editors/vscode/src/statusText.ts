/** What the status bar says about the server. Pure. */
import type { Phase, ServerStatus } from "./session.ts";

/** What one sees. */
export interface StatusText {
  readonly text: string;
  /** For screen readers: without icons. */
  readonly label: string;
  /** Lines of Markdown. */
  readonly tooltip: readonly string[];
  readonly alert: "none" | "warning" | "error";
}

/** What it is made of. */
export interface Shown {
  readonly phase: Phase;
  readonly problem: string;
  readonly status: ServerStatus | undefined;
  readonly version: string;
  /** The document in front, if any. */
  readonly uri: string | undefined;
  readonly language: string | undefined;
  readonly disabledLanguages: readonly string[];
}

interface Look {
  readonly icon: string;
  /** Behind the name of the backend. */
  readonly says: string;
  readonly alert?: "warning" | "error";
}

const WITHOUT_SERVER: Readonly<Record<Exclude<Phase, "running">, Look>> = {
  searching: { icon: "loading~spin", says: "looking for the server" },
  starting: { icon: "loading~spin", says: "starting" },
  missing: { icon: "warning", says: "server not found", alert: "warning" },
  stopped: { icon: "circle-slash", says: "stopped" },
  crashed: { icon: "error", says: "server ended", alert: "error" },
};

/** Return what to show. */
export function statusText(shown: Shown): StatusText {
  const { status } = shown;
  if (shown.phase !== "running" || status === undefined) return withoutServer(shown);
  const look = lookOf(shown, status);
  const name = status.backend === "" ? "Codestral" : status.backend;
  const says = look.says === "" ? "" : `: ${look.says}`;
  return {
    text: `$(${look.icon}) ${name}${says}`,
    label: `Codestral LSP, ${name}${status.model === undefined || status.model === "" ? "" : `, ${status.model}`}${says}`,
    tooltip: details(shown, status),
    alert: look.alert ?? "none",
  };
}

function withoutServer(shown: Shown): StatusText {
  const look = WITHOUT_SERVER[shown.phase === "running" ? "starting" : shown.phase];
  return {
    text: `$(${look.icon}) Codestral: ${look.says}`,
    label: `Codestral LSP, ${look.says}`,
    tooltip: [`**Codestral LSP**: ${look.says}`, ...(shown.problem === "" ? [] : [escaped(shown.problem)])],
    alert: look.alert ?? "none",
  };
}

function lookOf(shown: Shown, status: ServerStatus): Look {
  if (status.state === "failed") return { icon: "error", says: "does not work", alert: "error" };
  if (status.paused === true) return { icon: "debug-pause", says: "paused" };
  if (shown.language !== undefined && shown.disabledLanguages.includes(shown.language)) {
    return { icon: "circle-slash", says: `off for ${shown.language}` };
  }
  if (status.state === "starting") return { icon: "loading~spin", says: "starting" };
  if (status.state === "loading") {
    const part = /\b\d{1,3} ?%/.exec(status.message)?.[0];
    return { icon: "loading~spin", says: part === undefined ? "loading" : `loading ${part}` };
  }
  if (status.busy === true) return { icon: "loading~spin", says: "" };
  if (withheld(shown, status).length > 0) return { icon: "shield", says: "" };
  if (status.state === "fallback") return { icon: "arrow-swap", says: "" };
  return { icon: "sparkle", says: "" };
}

function details(shown: Shown, status: ServerStatus): string[] {
  const held = withheld(shown, status);
  return [
    `**Codestral LSP** ${escaped(shown.version)}`,
    `Backend: ${escaped(status.backend)}${status.selected === status.backend ? "" : ` (for ${escaped(status.selected)})`}`,
    ...(status.model === undefined || status.model === "" ? [] : [`Model: ${escaped(status.model)}`]),
    ...(status.destination === "" ? [] : [`Runs on: ${escaped(status.destination)}`]),
    ...(status.message === "" ? [] : [escaped(status.message)]),
    ...(status.paused === true ? ["Completions are paused; asking for one by hand still works."] : []),
    ...(held.length === 0 ? [] : ["Kept back from the backend:", ...held.map((each) => `- ${escaped(each)}`)]),
    "_Click for more._",
  ];
}

function withheld(shown: Shown, status: ServerStatus): readonly string[] {
  return status.uri === shown.uri ? status.withheld : [];
}

/** Names of models and files are text, not Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, "\\$&");
}
