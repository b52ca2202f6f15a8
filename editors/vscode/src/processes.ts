/** Programs that are run to their end. Owns time limits and the end of what they have started. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { homedir } from "node:os";

/** How a program ended. */
export interface Ended {
  readonly ok: boolean;
  /** Its standard output. */
  readonly output: string;
  /** Why it could not be used, in a few words; empty if it could. */
  readonly error: string;
}

/** Run a program, for `seconds` at most. Its folder is the home folder: a workspace's files must not take part. */
export function run(command: string, args: readonly string[], seconds: number): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: homedir(), timeout: seconds * 1000, windowsHide: true };
    execFile(command, args, options, (error, stdout, stderr) => {
      const last = stderr.trim().split("\n").at(-1) ?? "";
      const reason = error?.killed === true ? `no answer within ${seconds} s` : last === "" ? error?.message : last;
      resolve({ ok: error === null, output: stdout.trim(), error: error === null ? "" : (reason ?? "") });
    });
  });
}

/** End a process and, where it was started with `detached`, all that it has started. */
export function end(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { windowsHide: true });
    else if (groups.has(child)) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

const groups = new WeakSet<ChildProcess>();

/** Start a program in a process group of its own, so that `end` ends its children, too. */
export function spawnGroup(command: string, args: readonly string[]): ChildProcess {
  const detached = process.platform !== "win32"; // on Windows it would get a console window
  const child = spawn(command, args, { cwd: homedir(), detached, windowsHide: true, stdio: ["ignore", "pipe", "pipe"] });
  if (detached) groups.add(child);
  return child;
}
