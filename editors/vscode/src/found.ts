/** What came of the search for the server. Pure. */
import type { Candidate } from "./findServer.ts";

/** A server that answers. */
export interface Found extends Candidate {
  readonly version: string;
}

/** No server. */
export interface Missing {
  /** Why, in a sentence for users; empty if none was found anywhere. */
  readonly problem: string;
}

/** Say whether there is one. */
export function isFound(result: Found | Missing): result is Found {
  return "command" in result;
}
