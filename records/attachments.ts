import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { removeAbandoned, replaceFile, syncDirectory } from "./durable.ts";
import type { Attachments, OpenAttachment } from "./records.ts";

/** What file systems take. */
const MAX_NAME_BYTES = 255;

/** Files of attempts, in `attachments/<encoded attempt id>/<name>`. */
export class FileAttachments implements Attachments {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<FileAttachments> {
    await mkdir(directory, { recursive: true });
    return new FileAttachments(directory);
  }

  async put(attemptId: string, name: string, content: Buffer | string): Promise<void> {
    await replaceFile(await this.#pathFor(attemptId, name), (file) => file.writeFile(content));
  }

  async putFile(attemptId: string, name: string, path: string): Promise<void> {
    const target = await this.#pathFor(attemptId, name);
    const source = await openRegular(path);
    if (!source) throw new Error(`${path} cannot be kept: it is not there, or not a regular file.`);
    try {
      await source.sync();
      await rename(path, target);
      await syncDirectory(this.#of(attemptId));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      // Streamed from the descriptor that was checked, so a name swapped meanwhile changes nothing.
      const content = createReadStream("", { fd: source, autoClose: false, start: 0 });
      await replaceFile(target, (file) => pipeline(content, file.createWriteStream({ autoClose: false })));
      await rm(path, { force: true });
    } finally {
      await source.close();
    }
    // What a hostile build put under the name between check and rename must not stay.
    if (!(await lstat(target)).isFile()) {
      await rm(target, { recursive: true, force: true });
      throw new Error(`${path} cannot be kept: it was replaced by something that is not a regular file.`);
    }
  }

  async get(attemptId: string, name: string): Promise<Buffer | undefined> {
    const file = await openRegular(this.#path(attemptId, name));
    try {
      return await file?.readFile();
    } finally {
      await file?.close();
    }
  }

  async open(attemptId: string, name: string): Promise<OpenAttachment | undefined> {
    const file = await openRegular(this.#path(attemptId, name));
    if (!file) return undefined;
    const { size } = await file.stat();
    // `end` holds the promise of `bytes` even if the file grows under the reader.
    const stream = size === 0 ? file.createReadStream() : file.createReadStream({ start: 0, end: size - 1 });
    return { bytes: size, stream };
  }

  async list(attemptId: string): Promise<{ name: string; bytes: number }[]> {
    const directory = this.#of(attemptId);
    const names = await readdir(directory).catch(absent);
    const found: { name: string; bytes: number }[] = [];
    for (const name of (names ?? []).filter(isAttachmentName).sort()) {
      const stats = await lstat(join(directory, name)).catch(absent);
      if (stats?.isFile()) found.push({ name, bytes: stats.size });
    }
    return found;
  }

  #of(attemptId: string): string {
    return join(this.#directory, directoryName(attemptId));
  }

  #path(attemptId: string, name: string): string {
    if (!isAttachmentName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of an attachment.`);
    return join(this.#of(attemptId), name);
  }

  async #pathFor(attemptId: string, name: string): Promise<string> {
    const path = this.#path(attemptId, name);
    const made = await mkdir(this.#of(attemptId), { recursive: true });
    if (made) await syncDirectory(this.#directory);
    else await removeAbandoned(this.#of(attemptId));
    return path;
  }
}

/** One path segment that is no hidden file, as temporary ones are. */
function isAttachmentName(name: string): boolean {
  return /^[^./\\\0][^/\\\0]*$/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** Attempt ids hold `/`, and tags from outside; file names are 255 bytes at most. */
function directoryName(attemptId: string): string {
  const encoded = encodeURIComponent(attemptId).replace(/^\./, "%2E");
  if (encoded === "") throw new RangeError("An attempt's id is not empty.");
  if (encoded.length <= 200) return encoded;
  return `${encoded.slice(0, 150)}~${createHash("sha256").update(attemptId).digest("hex").slice(0, 32)}`;
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP" || error.code === "ENXIO") return undefined;
    return absent(error);
  });
  if (!file || (await file.stat()).isFile()) return file;
  await file.close();
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
