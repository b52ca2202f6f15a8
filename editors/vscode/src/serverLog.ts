/** The server's stderr as records of a log with levels. Pure. */

/** Levels that the output channel has, too. */
export type Level = "error" | "warn" | "info" | "debug";

const LEVELS: Readonly<Record<string, Level>> = {
  CRITICAL: "error",
  ERROR: "error",
  WARNING: "warn",
  INFO: "info",
  DEBUG: "debug",
};
/** As `reporting.configure_logging` writes it; the output channel adds a time of its own. */
const RECORD = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) (.*)$/s;

/** Cuts what arrives in pieces into lines, each with the level of its record. */
export class ServerLog {
  #rest = "";
  #level: Level = "info";
  readonly #write: (level: Level, line: string) => void;

  constructor(write: (level: Level, line: string) => void) {
    this.#write = write;
  }

  /** Take a piece. */
  add(piece: string): void {
    const lines = (this.#rest + piece).split(/\r?\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** Write what has no end of line. */
  end(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    const [, name = "", text = line] = RECORD.exec(line) ?? [];
    this.#level = LEVELS[name] ?? this.#level; // a traceback belongs to the record before it
    this.#write(this.#level, text);
  }
}
