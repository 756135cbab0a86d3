import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

const EVERY_MS = 3000;

/** Says at once, and every few seconds while `work` lasts, how long it has taken and how many bytes lie in `directory`. */
export async function withProgress<T>(
  progress: { title: string; directory: string; report: (line: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  progress.report(`${progress.title} …`);
  const timer = setInterval(() => {
    void bytesIn(progress.directory).then((bytes) =>
      progress.report(`${progress.title} … ${seconds()} s, ${(bytes / 1e6).toFixed(1)} MB so far`),
    );
  }, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Files come and go while this looks: one that has gone counts nothing. */
async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory()
        ? bytesIn(path)
        : lstat(path).then(
            ({ size }) => size,
            () => 0,
          );
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
