const KEPT_BYTES = 4 * 1024 * 1024;
const SHORTEST_SECRET = 6;

/** A build's output: the last 4 MiB of it, without the values of variables that the build was given. */
export class BuildLog {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private cut = false;
  private readonly secrets: string[];

  constructor(secrets: string[]) {
    this.secrets = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  }

  write(chunk: Buffer | string): void {
    const bytes = Buffer.from(chunk);
    this.chunks.push(bytes);
    this.bytes += bytes.length;
    while (this.bytes > KEPT_BYTES && this.chunks.length > 1) {
      this.bytes -= (this.chunks.shift() as Buffer).length;
      this.cut = true;
    }
  }

  text(): string {
    let text = Buffer.concat(this.chunks).toString("utf8");
    for (const secret of this.secrets) text = text.replaceAll(secret, "***");
    return this.cut ? `[the beginning was cut]\n${text}` : text;
  }

  /** The last lines, for a message that a person reads. */
  tail(lines = 20): string {
    return this.text().trimEnd().split("\n").slice(-lines).join("\n");
  }
}
