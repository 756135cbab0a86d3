/** One line of the table. */

export interface Figure {
  measure: string;
  goal?: Goal;
  /** Seconds, or bytes, of the engine and of what it is compared with, a pair a round. */
  ours: number[];
  theirs: number[];
  /** Seconds unless told. */
  unit?: "MB";
  notes?: string;
}

/** `least`: as many times faster than theirs. `most`: as much of theirs. */
export type Goal = { least: number } | { most: number };

/** Numbers that are no ratio. */
export interface Counted {
  measure: string;
  most: number;
  counts: number[];
  notes?: string;
}

export interface Skipped {
  measure: string;
  skipped: string;
}

export interface Spread {
  median: number;
  least: number;
  most: number;
}

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
  return { median, least: sorted[0] as number, most: sorted.at(-1) as number };
}

/** Pair by pair: what disturbs one round disturbs both of its sides. */
export function ratios({ ours, theirs, goal }: Figure): Spread {
  const pairs = ours.map((mine, round) => [mine, theirs[round] as number] as const);
  return spread(pairs.map(([mine, other]) => (goal && "least" in goal ? other / mine : mine / other)));
}

export function isReached(figure: Figure): boolean | undefined {
  if (!figure.goal) return undefined;
  const { median } = ratios(figure);
  return "least" in figure.goal ? median >= figure.goal.least : median <= figure.goal.most;
}
