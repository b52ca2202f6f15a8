/** What can make a virtual environment on this machine: uv, or a Python of version 3.10 or later. */
import { run } from "./processes.ts";

/** Command lines for a virtual environment and what goes into it. */
export interface Maker {
  environment(folder: string): string[];
  install(python: string, requirement: string): string[];
}

const UV: Maker = {
  environment: (folder) => ["uv", "venv", "--python", ">=3.10", folder],
  install: (python, requirement) => ["uv", "pip", "install", "--python", python, requirement],
};
/** The newest first; `py` is Windows's launcher, and `python` may be Python 2. */
const PYTHONS = [
  ["python3"],
  ...[14, 13, 12, 11, 10].map((minor) => [`python3.${minor}`]),
  ["python"],
  ...(process.platform === "win32" ? [["py", "-3"]] : []),
];
/** Debian's Python comes without what makes an environment with pip in it; the package python3-venv brings it. */
const PROBE = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))";
const PROBE_S = 10;

/** Return the first that works. */
export async function findMaker(): Promise<Maker | undefined> {
  if ((await run("uv", ["--version"], PROBE_S)).ok) return UV;
  for (const [command = "", ...args] of PYTHONS) {
    if ((await run(command, [...args, "-c", PROBE], PROBE_S)).ok) return withVenv([command, ...args]);
  }
  return undefined;
}

function withVenv(command: readonly string[]): Maker {
  return {
    environment: (folder) => [...command, "-m", "venv", folder],
    install: (python, requirement) => [python, "-m", "pip", "install", "--disable-pip-version-check", requirement],
  };
}
