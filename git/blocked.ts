/** Something outside is not as it has to be. Thrown inside the engine only: its doors answer with the reason. */
export class Blocked extends Error {
  override name = "Blocked";
}

export interface BlockedOutcome {
  kind: "blocked";
  reason: string;
}

export async function orBlocked<T>(work: () => Promise<T>): Promise<T | BlockedOutcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Blocked) return { kind: "blocked", reason: error.message };
    throw error;
  }
}

/** How a commit is shown to a person. */
export function short(id: string): string {
  return id.slice(0, 12);
}
