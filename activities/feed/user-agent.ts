import { existsSync, readFileSync } from "node:fs";

/** `patch.moi/<version> (+https://patch.moi)`. The version stands in package.json, above this file compiled or not. */
export const USER_AGENT = `patch.moi/${version()} (+https://patch.moi)`;

function version(): string {
  for (let url = new URL(".", import.meta.url); ; url = new URL("..", url)) {
    const file = new URL("package.json", url);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
    if (url.pathname === "/") return "0";
  }
}
