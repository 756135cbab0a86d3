/** One line of the table. */

export interface Figure {
  measure: string;
  /** How many times faster ours is, or which share of theirs ours takes. */
  as: "times" | "share";
  /** At least as many times, or at most such a share. */
  goal?: number | undefined;
  /** Seconds, or bytes, of the engine and of what it is compared with, a pair a round. */
  ours: number[];
  theirs: number[];
  /** Seconds unless told. */
  unit?: "MB";
  notes?: string;
}

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
export function ratios({ as, ours, theirs }: Figure): Spread {
  return spread(
    ours.map((mine, round) => {
      const other = theirs[round] as number;
      return as === "times" ? other / mine : mine / other;
    }),
  );
}

export function isReached(figure: Figure): boolean | undefined {
  const { as, goal } = figure;
  if (goal === undefined) return undefined;
  const { median } = ratios(figure);
  return as === "times" ? median >= goal : median <= goal;
}
