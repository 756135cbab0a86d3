import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/**
 * Parsers of feeds, each run on a thread of its own, with a deadline and a memory limit: 160 KB of unclosed tags keep
 * rss-parser busy for 15 s, and while a parser runs nothing else does. What comes back is plain data.
 */

export type Reader = "rss-parser" | "feedsmith";
export type Read = { ok: true; feed: unknown } | { ok: false; reason: string };

export const READER_LIMITS = { milliseconds: 5_000, megabytes: 256 };

/**
 * The thread's program is text, not a file, so that it runs the same from TypeScript sources and compiled. Packages are found
 * from here.
 */
const PROGRAM = `
const { parentPort, workerData } = require("node:worker_threads");
const read = {
  "rss-parser": async (parser, text) => new parser().parseString(text),
  feedsmith: async (parser, text) => parser.parseFeed(text),
}[workerData.reader];
read(require(workerData.path), workerData.text).then(
  (feed) => parentPort.postMessage({ ok: true, feed }),
  (error) => parentPort.postMessage({ ok: false, reason: String(error?.message ?? error).split("\\n")[0] }),
);
`;

const require = createRequire(import.meta.url);

export async function readOnThread(reader: Reader, text: string, limits = READER_LIMITS): Promise<Read> {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { reader, path: require.resolve(reader), text },
    resourceLimits: { maxOldGenerationSizeMb: limits.megabytes, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    // Nothing of the service's: no secrets in its environment, no loaders, no output.
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Read>((resolve) => {
      const fail = (reason: string) => resolve({ ok: false, reason });
      timer = setTimeout(
        () => fail(`reading it took longer than ${limits.milliseconds / 1000} s`),
        limits.milliseconds,
      );
      worker.once("message", resolve);
      worker.once("error", (error: NodeJS.ErrnoException) =>
        fail(
          error.code === "ERR_WORKER_OUT_OF_MEMORY"
            ? `reading it took more than ${limits.megabytes} MB`
            : error.message,
        ),
      );
      worker.once("exit", () => fail("its reader ended early"));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
