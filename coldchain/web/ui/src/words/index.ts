import { en, type Words } from "./en";

// One language so far. The choice is made here and nowhere else.
export const w: Words = en;

/** A word for a token of the program; a token nobody has put into words is shown as it is. */
export function word(from: Record<string, string>, token: string): string {
  return from[token] ?? token.replaceAll("_", " ");
}
