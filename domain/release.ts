/** What a release's name tells: whether it is a prerelease, and which of two is older. Pure, and safe in a workflow. */

/** Words that projects put in a version that is not meant for everyone. `a1`, `b2`, `m3` count right after a number only. */
const UNFINISHED =
  /^(?:rc|cr|alpha|beta|pre|preview|prerelease|dev|devel|develop|nightly|canary|snapshot|next|insider|insiders|eap|edge|experimental|unstable|test|testing|milestone|candidate)$/;
const FINISHED = /^(?:ga|final|release|stable|lts|sp\d*)$/;

interface Version {
  /** What stands before the first number, without a `v` and separators at its end: `rust-v0.1` → `rust`. */
  family: string;
  /** `1.2.3` → [1, 2, 3], without zeros at the end. */
  numbers: number[];
  /** What follows the numbers, build metadata (`+…`) left out: `-rc.1` → ["rc", "1"]. */
  rest: string[];
}

/** By semver, or by a common spelling: `v1.0.0-rc.1`, `1.0b2`, `nightly-2024-05-01`, `5.0.0.M3`. */
export function isPrerelease(tag: string): boolean {
  const words = tag.toLowerCase().split(/[^a-z0-9]+/);
  const version = readVersion(tag);
  if (!version) return words.some((word) => UNFINISHED.test(word));
  if (UNFINISHED.test(words[0] ?? "") && /^[a-z]+[-_./]?v?\d/i.test(tag)) return true;
  if (version.rest.some((word) => FINISHED.test(word))) return false;
  const spelled = version.rest.some((word) => UNFINISHED.test(word) || /^[abm]$/.test(word));
  return spelled || isSemverPrerelease(tag);
}

/**
 * Whether `a` is an older version than `b`. Undefined where names do not tell: no number in one of them, or different
 * families (`cli-v1.0` and `server-v2.0`).
 */
export function isOlderRelease(a: string, b: string): boolean | undefined {
  const [left, right] = [readVersion(a), readVersion(b)];
  if (!left || !right || left.family !== right.family) return undefined;
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  const [unfinished, other] = [isPrerelease(a), isPrerelease(b)];
  if (unfinished !== other) return unfinished;
  return unfinished ? comesBefore(left.rest, right.rest) : finishedOrder(left.rest, right.rest);
}

function readVersion(tag: string): Version | undefined {
  // The family may hold digits where a separator says that the version comes later: `@scope/h3@1.0`, `log4j/2.17`.
  const start = Math.max(tag.lastIndexOf("@"), tag.lastIndexOf("/")) + 1;
  const [scope, name] = /\d/.test(tag.slice(start)) ? [tag.slice(0, start), tag.slice(start)] : ["", tag];
  const match = /^(\D*)(\d+(?:[._]\d+)*)(.*)$/s.exec(name);
  if (!match) return undefined;
  const [, prefix = "", digits = "", tail = ""] = match;
  const numbers = digits.split(/[._]/).map(Number);
  while (numbers.length > 1 && numbers.at(-1) === 0) numbers.pop();
  return {
    family: `${scope}${prefix}`
      .toLowerCase()
      .replace(/(^|[^a-z])v$/, "$1")
      .replace(/[^a-z0-9]+$/, ""),
    numbers,
    rest: words(tail.split("+")[0] ?? ""),
  };
}

/** Runs of letters and runs of digits: `rc10` and `-rc.10` are both ["rc", "10"]. */
function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
}

/** https://semver.org: three numbers, then a dash. */
function isSemverPrerelease(tag: string): boolean {
  return /(?:^|[^\d.])\d+\.\d+\.\d+-[0-9A-Za-z]/.test(tag);
}

/** Semver's order of prerelease parts; equal ones are not older. */
function comesBefore(a: string[], b: string[]): boolean {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined;
    const [leftIsNumber, rightIsNumber] = [/^\d/.test(left), /^\d/.test(right)];
    if (leftIsNumber && rightIsNumber && Number(left) !== Number(right)) return Number(left) < Number(right);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber;
    if (left !== right) return left < right;
  }
  return false;
}

/** `1.2.3.1-2` and dates tell by their numbers; for `1.2.3-jre` against `1.2.3-android` no rule says which came first. */
function finishedOrder(a: string[], b: string[]): boolean | undefined {
  return [...a, ...b].every((word) => /^\d/.test(word))
    ? comesBefore(a, b)
    : a.join(".") === b.join(".")
      ? false
      : undefined;
}
