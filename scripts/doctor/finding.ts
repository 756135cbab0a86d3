/** What a check found. `fail`: the service would not start, or not do its work. */
export type Level = "ok" | "warn" | "fail";

export interface Finding {
  level: Level;
  /** What was looked at and how it is, in a few words. */
  what: string;
  /** What to do about it. */
  todo?: string;
}

export const ok = (what: string): Finding => ({ level: "ok", what });
export const warn = (what: string, todo?: string): Finding => ({ level: "warn", what, ...(todo && { todo }) });
export const fail = (what: string, todo?: string): Finding => ({ level: "fail", what, ...(todo && { todo }) });

/** One line. */
export function formatFinding({ level, what, todo }: Finding): string {
  return `${level.padEnd(4)} ${todo ? `${what} — ${todo}` : what}`.replaceAll(/\s*\n\s*/g, "; ");
}

/** Findings of a check; a check that takes too long or breaks is a failed one, and does not stop the others. */
export async function bounded(
  title: string,
  milliseconds: number,
  check: (signal: AbortSignal) => Promise<Finding[]>,
): Promise<Finding[]> {
  const signal = AbortSignal.timeout(milliseconds);
  const late = new Promise<Finding[]>((resolve) => {
    signal.addEventListener("abort", () =>
      // A check that heeds the signal tells more of it, and gets a moment to.
      setTimeout(() => resolve([fail(`${title}: no answer within ${milliseconds / 1000} s`)]), 500),
    );
  });
  try {
    return await Promise.race([check(signal), late]);
  } catch (error) {
    return [fail(`${title}: ${(error as Error).message}`)];
  }
}
