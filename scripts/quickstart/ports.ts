import { createServer } from "node:net";
import { listen } from "./listen.ts";

/** The preferred port of the loopback address when it is free, else another free one that is not in `taken`. */
export async function freePort(preferred: number, taken: number[]): Promise<number> {
  for (let wanted = taken.includes(preferred) ? 0 : preferred; ; wanted = 0) {
    try {
      const { port, close } = await listen(createServer(), wanted);
      await close();
      if (!taken.includes(port)) return port;
    } catch (error) {
      if (wanted === 0) throw error;
    }
  }
}
