import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that was just killed frees its port a moment later than it is gone. */
const PATIENCE_MS = 2000;

/** Refuses, with what to do, a port of the loopback address that somebody else listens on. */
export async function requireFreePort(port: number, variable: string): Promise<void> {
  let problem = await whyNotFree("127.0.0.1", port);
  for (let waited = 0; problem && waited < PATIENCE_MS; waited += 50) {
    await sleep(50);
    problem = await whyNotFree("127.0.0.1", port);
  }
  if (problem) {
    throw new Error(
      `Port ${port} on 127.0.0.1 ${problem}: stop the program that uses it, or set ${variable} to a free port.`,
    );
  }
}

/** Undefined when one can listen there. */
export function whyNotFree(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "EADDRINUSE" ? "is in use" : `cannot be used (${error.message})`),
    );
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
