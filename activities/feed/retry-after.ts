const A_DAY = 86_400;

/** Seconds that a server asks to wait (RFC 9110, 10.2.3: seconds or a date), a day at most; undefined where it asks for nothing readable. */
export function retryAfterSeconds(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - now) / 1000);
  return text && Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), A_DAY) : undefined;
}
