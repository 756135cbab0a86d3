/** Which remotes may be talked to, and how git is told about one. Decided anew before each connection. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { holdsSecret } from "../../domain/config.ts";
import type { GitOptions, Remote } from "../options.ts";
import { GitFailure, RefusedRemote } from "./failure.ts";
import { publicUrl } from "./scrub.ts";

export type Protocol = "https" | "http" | "ssh" | "file";

export interface Address {
  protocol: Protocol;
  host?: string;
  port?: string;
}

/** What a git process needs to talk to one remote and to no other. */
export interface Connection {
  url: string;
  /** Before the command: `-c` options. */
  flags: string[];
  environment: Record<string, string>;
  secrets: string[];
}

const PRIVATE_SWITCH = "PATCH_ALLOW_PRIVATE_NETWORK=true allows it";
const LOCAL_SWITCH = "PATCH_ALLOW_LOCAL_REPOS=true allows it";

/** Throws RefusedRemote, or GitFailure when the host's name cannot be resolved. */
export async function connect(remote: Remote, options: GitOptions): Promise<Connection> {
  const address = parseRemote(remote.url);
  const flags = await checkAddress(remote.url, address, options);
  const environment: Record<string, string> = { GIT_ALLOW_PROTOCOL: address.protocol };
  if (remote.token && (address.protocol === "https" || address.protocol === "http")) {
    const { protocol, host, username } = new URL(remote.url);
    environment.PATCHMOI_GIT_TOKEN = remote.token;
    environment.PATCHMOI_ASK_USER = `${protocol}//${host}`;
    environment.PATCHMOI_ASK_PASSWORD = `${protocol}//${username || "x-access-token"}@${host}`;
  }
  return { url: remote.url, flags, environment, secrets: remote.token ? [remote.token] : [] };
}

/** Understands a remote's URL as git does. Throws RefusedRemote for what this service never talks to. */
export function parseRemote(url: string): Address {
  const shown = publicUrl(url);
  if (url === "" || url.startsWith("-") || /[\s\x00-\x1f\x7f]/.test(url)) {
    throw new RefusedRemote(`"${shown}" is not a git URL: it is empty, starts with a dash or holds blanks`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "file") return { protocol: "file" };
  if (scheme === "https" || scheme === "http" || scheme === "ssh") return parseUrl(url, shown, scheme);
  const scp = /^(?:([^@:/]+)@)?(\[[^\]/]+\]|[^:/[\]]+):(?!:)(.+)$/.exec(url);
  if (!scheme && scp?.[2] && !scp[2].startsWith("-") && !scp[1]?.startsWith("-")) {
    return { protocol: "ssh", host: bare(scp[2]) };
  }
  if (!scheme && !url.includes("::") && /^\.{0,2}\//.test(url)) return { protocol: "file" };
  throw new RefusedRemote(`${shown} is refused: remotes are https: or ssh: URLs, or user@host:path`);
}

function parseUrl(url: string, shown: string, protocol: "https" | "http" | "ssh"): Address {
  if (!URL.canParse(url)) throw new RefusedRemote(`${shown} is not a URL that can be understood`);
  const { username, hostname, port } = new URL(url);
  if (holdsSecret(url)) {
    throw new RefusedRemote(`${shown} holds a secret: take it out of the URL and name its variable in tokenEnv`);
  }
  const host = bare(hostname);
  if (!host || host.startsWith("-") || username.startsWith("-")) {
    throw new RefusedRemote(`${shown} is refused: it names no host that can be talked to`);
  }
  return port ? { protocol, host, port } : { protocol, host };
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

async function checkAddress(url: string, address: Address, options: GitOptions): Promise<string[]> {
  const shown = publicUrl(url);
  if (address.protocol === "file") {
    if (options.allowLocalRepos) return [];
    throw new RefusedRemote(`${shown} is a repository on this machine, which is not allowed; ${LOCAL_SWITCH}`);
  }
  if (address.protocol === "http" && !options.allowPrivateNetwork) {
    throw new RefusedRemote(`${shown} uses plain http:, which shows tokens and patches to everybody; use https:`);
  }
  const host = address.host as string;
  if (options.allowPrivateNetwork && address.protocol !== "http") return [];
  const addresses = await resolve(host, options);
  if (!addresses) return [];
  const inside = addresses.filter(isPrivate);
  if (address.protocol === "http" && inside.length !== addresses.length) {
    throw new RefusedRemote(`${shown} uses plain http: to a public address; use https:`);
  }
  if (inside.length > 0 && !options.allowPrivateNetwork) {
    throw new RefusedRemote(`${shown} leads to a private or local address (${inside[0]}); ${PRIVATE_SWITCH}`);
  }
  return isIP(host) || address.protocol === "ssh" ? [] : pin(address, addresses);
}

/** Holds git to the addresses that were checked: the name may resolve to others a moment later. */
function pin({ protocol, host, port }: Address, addresses: string[]): string[] {
  const list = addresses.map((address) => (address.includes(":") ? `[${address}]` : address)).join(",");
  return ["-c", `http.curloptResolve=${host}:${port ?? (protocol === "https" ? 443 : 80)}:${list}`];
}

/** Every address of the host; undefined where only the proxy knows them. */
async function resolve(host: string, options: GitOptions): Promise<string[] | undefined> {
  if (isIP(host)) return [host];
  if (/(^|\.)localhost\.?$/i.test(host)) return ["127.0.0.1", "::1"];
  const proxied = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].some((name) => options.environment[name]);
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return proxied && !found.some(({ address }) => isPrivate(address)) ? undefined : found.map((each) => each.address);
  } catch {
    if (proxied) return undefined;
    throw new GitFailure("network", `the host "${host}" could not be resolved: check the URL and the network`);
  }
}

/** Everything that is not an ordinary public address: loopback, private, link-local, multicast, reserved … */
export function isPrivate(address: string): boolean {
  return !ipaddr.isValid(address) || ipaddr.process(address).range() !== "unicast";
}
