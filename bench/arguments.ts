import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { isSafeRefName } from "../domain/config.ts";
import { isRowName, ROW_NAMES, type RowName } from "./row-names.ts";

/** Repositories that exist, to be measured beside the generated ones. Paths of bare repositories, as given. */
export interface RealPair {
  upstream: string;
  fork: string;
  branch: string;
  tag: string;
}

export interface Measuring {
  kind: "measure";
  /** All where none is named. */
  only: RowName[];
  /** Directories put first on PATH, one after the other; undefined leaves PATH alone. */
  gits: (string | undefined)[];
  memory: string;
  disk: string;
  runs: number;
  quick: boolean;
  real?: RealPair;
}

export type Wish = { kind: "help" } | { kind: "wrong"; message: string } | Measuring;

const RUNS = 5;
const SHARED_MEMORY = "/dev/shm";

export const USAGE = `npm run bench:engine                 measures the engine against plain git, as ratios in one run
npm run bench:engine -- --upstream PATH --fork PATH --branch NAME --tag TAG
                                     the same, and on your own repositories too

  --only ROW       only this row; may be given several times: ${ROW_NAMES.join(", ")}
  --git DIR        put this directory first on PATH, for both sides; may be given several times, for a table each
  --memory DIR     a directory on a memory file system (default: ${SHARED_MEMORY} where there is one)
  --disk DIR       a directory on an ordinary disk (default: the temporary one)
  --runs N         rounds of each row, after one that warms up (default: ${RUNS})
  --quick          small repositories: shows that everything works, and no more
  --upstream PATH, --fork PATH
                   bare repositories on this machine; nothing is written to them
  --branch NAME    the fork's branch with the patches
  --tag TAG        the upstream release to carry them onto
  --help           this text
`;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  only: { type: "string", multiple: true },
  git: { type: "string", multiple: true },
  memory: { type: "string" },
  disk: { type: "string" },
  runs: { type: "string" },
  quick: { type: "boolean" },
  upstream: { type: "string" },
  fork: { type: "string" },
  branch: { type: "string" },
  tag: { type: "string" },
} as const;

export function readArguments(args: string[]): Wish {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return wrong((error as Error).message.split(". ")[0] ?? "bad arguments");
  }
  if (values.help) return { kind: "help" };
  const { only = [], git = [], quick = false, runs = `${RUNS}`, disk = tmpdir() } = values;
  const memory = values.memory ?? (existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir());
  const unknown = only.find((name) => !isRowName(name));
  if (unknown !== undefined) return wrong(`--only: there is no row "${unknown}": rows are ${ROW_NAMES.join(", ")}`);
  if (!/^[1-9]\d*$/.test(runs)) return wrong(`--runs: "${runs}" is not a number of rounds`);
  const directories = { memory, disk, ...values };
  const missing = (["memory", "disk", "upstream", "fork"] as const).find(
    (name) => directories[name] !== undefined && !existsSync(directories[name]),
  );
  if (missing) return wrong(`--${missing}: there is no directory "${directories[missing]}"`);
  const without = git.find((directory) => !existsSync(`${directory}/git`));
  if (without !== undefined) return wrong(`--git: there is no git in "${without}"`);
  const real = readRealPair(values);
  if (typeof real === "string") return wrong(real);
  const gits = git.length > 0 ? git : [undefined];
  return {
    kind: "measure",
    only: only.filter(isRowName),
    gits,
    memory,
    disk,
    runs: Number(runs),
    quick,
    ...(real && { real }),
  };
}

/** Says what is wrong with it, or answers undefined where none was named. */
function readRealPair(values: ReturnType<typeof parse>): RealPair | string | undefined {
  const { upstream, fork, branch, tag } = values;
  const missing = (["upstream", "fork", "branch", "tag"] as const).filter((name) => !values[name]);
  if (missing.length === 4) return undefined;
  if (!upstream || !fork || !branch || !tag) {
    return `your own repositories need ${missing.map((name) => `--${name}`).join(" and ")} too`;
  }
  const bad = Object.entries({ branch, tag }).find(([, name]) => !isSafeRefName(name));
  return bad ? `--${bad[0]}: "${bad[1]}" is not a valid git branch or tag name` : { upstream, fork, branch, tag };
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
}

function wrong(message: string): Wish {
  return { kind: "wrong", message };
}
