import { parseArgs } from "node:util";
import { isSafeRefName } from "../../domain/config.ts";

export interface DemoWish {
  kind: "demo";
  auto: boolean;
  dir?: string;
}

/** One carry of repositories that exist. Remotes are URLs or paths, as given. */
export interface CarryWish {
  kind: "carry";
  upstream: string;
  fork: string;
  branch: string;
  tag: string;
  push: boolean;
  auto: boolean;
  stackBase?: string;
  tokenEnv?: string;
  build: string[];
  dir?: string;
}

export type Wish = { kind: "help" } | { kind: "wrong"; message: string } | DemoWish | CarryWish;

export const USAGE = `npm run quickstart                 the main job on repositories made for the purpose; stays up
npm run quickstart -- --auto       the same, fixes the conflict itself, verifies what was pushed, and ends
npm run quickstart -- --upstream URL --fork URL --branch NAME --tag TAG
                                   carries the stack of your own fork onto a release, and pushes nothing to it

  --branch NAME      the fork's branch with the patches
  --tag TAG          the upstream release to carry them onto
  --stack-base REF   a ref of the fork under the stack, where upstream's refs alone do not tell
  --build CMD        a command that must pass on the result; may be given several times
  --push             push the result to the fork itself; without it, to a copy on this machine
  --token-env NAME   the environment variable with the token for the fork (only with --push)
  --auto             do not wait for a person: exit 3 when one is needed
  --dir DIR          where everything is kept: an empty or new directory (default: a temporary one)
  --help             this text
`;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  auto: { type: "boolean" },
  push: { type: "boolean" },
  dir: { type: "string" },
  upstream: { type: "string" },
  fork: { type: "string" },
  branch: { type: "string" },
  tag: { type: "string" },
  "stack-base": { type: "string" },
  "token-env": { type: "string" },
  build: { type: "string", multiple: true },
} as const;

const NEEDED = ["upstream", "fork", "branch", "tag"] as const;
const ONLY_THERE = ["push", "build", "stack-base", "token-env"] as const;

export function readArguments(args: string[]): Wish {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return wrong((error as Error).message.split(". ")[0] ?? "bad arguments");
  }
  if (values.help) return { kind: "help" };
  const empty = Object.entries(values).find(
    ([, value]) => value === "" || (Array.isArray(value) && value.includes("")),
  );
  if (empty) return wrong(`--${empty[0]} needs a value`);
  const { auto = false, push = false, dir, upstream, fork, branch, tag, build = [] } = values;
  const missing = NEEDED.filter((name) => values[name] === undefined);
  if (missing.length === NEEDED.length) {
    const stray = ONLY_THERE.find((name) => values[name] !== undefined);
    return stray ? wrong(`--${stray} goes with --upstream, --fork, --branch and --tag`) : { kind: "demo", auto, dir };
  }
  if (!upstream || !fork || !branch || !tag) {
    return wrong(`your own repositories need ${missing.map((name) => `--${name}`).join(" and ")} too`);
  }
  const flag = Object.entries({ upstream, fork }).find(([, remote]) => remote.startsWith("-"));
  if (flag) return wrong(`--${flag[0]}: "${flag[1]}" is neither a URL nor a path`);
  const { "stack-base": stackBase, "token-env": tokenEnv } = values;
  const bad = Object.entries({ branch, tag, "stack-base": stackBase }).find(([, name]) => name && !isSafeRefName(name));
  if (bad) return wrong(`--${bad[0]}: "${bad[1]}" is not a valid git branch or tag name`);
  if (tokenEnv && !push) return wrong("--token-env goes with --push: without it nothing is pushed to your fork");
  return { kind: "carry", upstream, fork, branch, tag, push, auto, stackBase, tokenEnv, build, dir };
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
}

function wrong(message: string): Wish {
  return { kind: "wrong", message };
}
