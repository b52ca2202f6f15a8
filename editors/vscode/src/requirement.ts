/** What pip is asked to install. Pure. */

/** A name, the rest of the requirement behind it. */
const NAMED = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[([^\]]*)\])?\s*(@.*|[=<>!~].*|)$/;

/** Return a requirement (`codestral-lsp`, `codestral-lsp==1.0`, a folder, an address) with an extra. */
export function withExtra(requirement: string, extra: string): string {
  const [, name, extras, rest = ""] = NAMED.exec(requirement) ?? [];
  if (name === undefined) return requirement.endsWith("]") ? requirement : `${requirement}[${extra}]`;
  const all = [...new Set([...(extras ?? "").split(",").filter((each) => each !== ""), extra])];
  return `${name}[${all.join(",")}]${rest === "" ? "" : rest.startsWith("@") ? ` ${rest}` : rest}`;
}
