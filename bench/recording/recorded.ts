/** What the stand-in for git writes down, and its reader finds. */

/** Path to content, as latin1; directories end with a slash. */
export type Files = Record<string, string>;

export interface Recorded {
  args: string[];
  cwd: string;
  repository: string;
  environment: Record<string, string>;
  /** Of the repository; empty where there is none. */
  before: Files;
}

/** Only the thin repository of a run borrows objects. */
export const ALTERNATES = "objects/info/alternates";
