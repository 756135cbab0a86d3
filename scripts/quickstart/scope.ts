/** What was started and must be ended, last one first, however the story ends. */
export class Scope {
  readonly #parts: (() => Promise<unknown>)[] = [];
  readonly #stop = new AbortController();

  /** Aborted by Ctrl-C, and when the scope closes. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  add(close: () => Promise<unknown>): void {
    this.#parts.push(close);
  }

  stop(): void {
    this.#stop.abort();
  }

  async close(): Promise<void> {
    this.stop();
    for (const close of this.#parts.splice(0).reverse()) {
      await close().catch((error: unknown) => console.error(`  (while ending: ${(error as Error).message})`));
    }
  }
}
