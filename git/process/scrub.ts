/** Takes secrets out of text that will be stored or shown: tokens in every spelling git uses, and userinfo in URLs. */

export function scrub(text: string, secrets: readonly (string | undefined)[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (!secret) continue;
    // The longest first: what is left of a longer one must not be what a shorter one left over.
    for (const spelling of spellings(secret)) clean = clean.replaceAll(spelling, "***");
  }
  return clean.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, "$1");
}

function spellings(secret: string): string[] {
  const pairs = ["x-access-token", ""].map((user) => Buffer.from(`${user}:${secret}`).toString("base64"));
  const all = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64"), ...pairs];
  return all.sort((one, other) => other.length - one.length);
}

/** A remote's URL as it may be shown: without userinfo. */
export function publicUrl(url: string): string {
  return scrub(url, []);
}
