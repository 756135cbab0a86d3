const KEPT_BYTES = 4 * 1024 * 1024;
const SHORTEST_SECRET = 6;
const TAIL_LINES = 20;
/** A message goes through Temporal, which takes 2 MiB; a line may be a whole bundle of JavaScript. */
const TAIL_CHARACTERS = 4_000;

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

  /** The last 20 lines, and of them the last 4,000 characters, for a message that a person reads. */
  tail(): string {
    const lines = this.text().trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    if (lines.length <= TAIL_CHARACTERS) return lines;
    // A pair of surrogates is not left halved.
    return `…${lines.slice(-TAIL_CHARACTERS).replace(/^[\uDC00-\uDFFF]/, "")}`;
  }
}
