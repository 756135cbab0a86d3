/** `npm run quickstart`: the main job on a machine with nothing configured, or one carry of repositories that exist. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type CarryWish, type DemoWish, readArguments, USAGE } from "./quickstart/arguments.ts";
import { carry } from "./quickstart/carry.ts";
import { demo } from "./quickstart/demo.ts";
import { Scope } from "./quickstart/scope.ts";

const FAILED = 1;
const BAD_ARGUMENTS = 2;
const PERSON_NEEDED = 3;
const INTERRUPTED = 130;

process.exitCode = await main(process.argv.slice(2));
// What ends late (an idle connection) must not keep a finished story on the screen.
process.exit();

async function main(args: string[]): Promise<number> {
  const wish = readArguments(args);
  if (wish.kind === "help") {
    console.log(USAGE);
    return 0;
  }
  const taken = wish.kind !== "wrong" && wish.dir ? await whyTaken(wish.dir) : undefined;
  if (wish.kind === "wrong" || taken) {
    console.error(`quickstart: ${wish.kind === "wrong" ? wish.message : taken}\n\n${USAGE}`);
    return BAD_ARGUMENTS;
  }
  return await run(wish);
}

async function run(wish: DemoWish | CarryWish): Promise<number> {
  const directory = wish.dir ? resolve(wish.dir) : await mkdtemp(join(tmpdir(), "patchmoi-quickstart-"));
  await mkdir(directory, { recursive: true });
  const logPath = join(directory, "service.log");
  const scope = new Scope();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => scope.stop());
  console.log(`Everything is in ${directory}; the service logs to service.log there.`);
  let code = FAILED;
  try {
    code = await tell(wish, { directory, logPath, scope });
  } catch (error) {
    if (scope.signal.aborted) code = wish.kind === "demo" && !wish.auto ? 0 : INTERRUPTED;
    else console.error(`\nquickstart failed: ${(error as Error).message}\nThe service's log: ${logPath}`);
  }
  if (scope.signal.aborted) console.log("\nEnding …");
  await scope.close();
  // Nobody looks into what was verified; everything else stays for the person to see.
  if (code === 0 && wish.kind === "demo" && wish.auto && !wish.dir)
    await rm(directory, { recursive: true, force: true });
  return code;
}

type Where = { directory: string; logPath: string; scope: Scope };

async function tell(wish: DemoWish | CarryWish, where: Where): Promise<number> {
  if (wish.kind === "carry") return (await carry({ ...wish, ...where })) ? 0 : PERSON_NEEDED;
  await demo({ ...wish, ...where });
  return 0;
}

/** A directory with something in it is somebody's. */
async function whyTaken(dir: string): Promise<string | undefined> {
  try {
    return (await readdir(dir)).length > 0 ? `--dir: ${dir} is not empty` : undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : `--dir: ${message}`;
  }
}
