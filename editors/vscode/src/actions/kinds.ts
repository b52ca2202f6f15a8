/** Kinds of code actions. Pure. */

const HIDDEN = "source.codestral.";

/**
 * Return the kind that an action has in a menu that was asked for no kind in particular.
 *
 * VS Code keeps `source` actions out of its menu of Ctrl+. and of the light bulb; an explanation is what
 * people look for there. Kinds that it does not know stand under "More Actions…".
 */
export function shownKind(kind: string): string {
  return kind.startsWith(HIDDEN) ? kind.slice("source.".length) : kind;
}
