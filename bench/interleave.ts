/** Measures sides by turns, A B A B, so that whatever else the machine does meets all of them alike. */

/** One way to get to a result. */
export interface Side {
  /** What must not count. Rounds begin at 0, which warms up. */
  before?(round: number): Promise<void> | void;
  /** Answers with what it came to: all sides of a round must come to the same. */
  run(round: number): Promise<string>;
}

/** Seconds of each round but the warm-up. */
export type Seconds<Name extends string> = Record<Name, number[]>;

export async function interleave<Name extends string>(sides: Record<Name, Side>, runs: number): Promise<Seconds<Name>> {
  const names = Object.keys(sides) as Name[];
  const seconds = Object.fromEntries(names.map((name) => [name, []])) as unknown as Seconds<Name>;
  for (let round = 0; round <= runs; round++) {
    const results = new Map<Name, string>();
    for (const name of names) {
      await sides[name].before?.(round);
      const taken = await timed(async () => results.set(name, await sides[name].run(round)));
      if (round > 0) seconds[name].push(taken);
    }
    if (new Set(results.values()).size > 1) {
      throw new Error(`not the same result: ${[...results].map((each) => each.join(" ")).join(", ")}`);
    }
  }
  return seconds;
}

/** Seconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}
