import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { Agent } from "undici";

/** Keeps requests to addresses that outsiders chose (feeds, redirects) away from this machine and its private network. */

export class PrivateAddress extends Error {
  override name = "PrivateAddress";
  constructor(host: string) {
    super(`${host} is a private or local address; set PATCH_ALLOW_PRIVATE_NETWORK=true if it is meant`);
  }
}

/** Whether an IP address is reachable on the public internet. IPv6 forms that carry an IPv4 address are judged by it, or refused. */
export function isPublicAddress(address: string): boolean {
  const text = address.replace(/^\[|\]$/g, "");
  return ipaddr.isValid(text) && ipaddr.process(text).range() === "unicast";
}

/** Throws for a URL whose host is an IP literal that may not be asked: sockets are opened to those without a lookup. */
export function refusePrivateLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(host) && !isPublicAddress(host)) throw new PrivateAddress(host);
}

/** Connections of one request. Names are checked by the very answer that is connected to, so that a changing answer gains nothing. */
export function agentFor(options: { allowPrivateNetwork: boolean; connectTimeoutMs: number }): Agent {
  const timeout = options.connectTimeoutMs;
  return new Agent({ connect: options.allowPrivateNetwork ? { timeout } : { timeout, lookup: publicLookup } });
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "", 0);
    const [first, ...others] = addresses.filter(({ address }) => isPublicAddress(address));
    if (!first) return callback(new PrivateAddress(hostname), "", 0);
    return options.all ? callback(null, [first, ...others]) : callback(null, first.address, first.family);
  });
};
