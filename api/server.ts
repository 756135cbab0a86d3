import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopbackHost, type Settings } from "../domain/settings.ts";
import { type ApiDeps, createApi } from "./app.ts";

export interface ApiOptions extends Omit<ApiDeps, "adminToken"> {
  settings: Pick<Settings, "host" | "port" | "adminToken">;
}

export interface RunningApi {
  /** Where it can be reached from this machine, without a trailing slash. */
  url: string;
  /** Takes no new requests, lets running ones finish for some seconds, then cuts them off. */
  close(): Promise<void>;
}

/** Longer than the longest answer: an update's taking up and its result. */
const REQUEST_MS = 60_000;
const CLOSE_MS = 8_000;

/** Listens; port 0 takes any free one. Fails with what to do when the address cannot be had. */
export async function startApi({ settings, ...deps }: ApiOptions): Promise<RunningApi> {
  const { host, port, adminToken } = settings;
  if (!adminToken && !isLoopbackHost(host))
    throw new Error(`HOST ${host} needs PATCH_ADMIN_TOKEN: nothing is open to all.`);
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: 15_000, keepAliveTimeout: 10_000 },
    createApi({ ...deps, adminToken }),
  );
  await listen(server, host, port);
  return { url: urlOf(server.address() as AddressInfo), close: () => close(server) };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explained(error, host, port)));
    server.listen({ host, port }, resolve);
  });
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const said: Record<string, string> = {
    EADDRINUSE: `PORT ${port} on ${host} is in use. Stop what uses it, or set PORT to another one.`,
    EACCES: `PORT ${port} may not be used by this user. Set PORT to one above 1023.`,
    EADDRNOTAVAIL: `HOST ${host} is no address of this machine. Set HOST to one that it has, or to 127.0.0.1.`,
    ENOTFOUND: `HOST ${host} is not known. Set HOST to an address of this machine, or to 127.0.0.1.`,
  };
  return new Error(said[error.code ?? ""] ?? `Cannot listen on ${host} port ${port}: ${error.message}`, {
    cause: error,
  });
}

function urlOf({ address, port }: AddressInfo): string {
  if (address === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (address === "::") return `http://[::1]:${port}`;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(cut);
}
