import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Room } from "./sandbox.ts";

/** What a build sees of the machine, the rest of which it may read. Absolute paths of directories that exist. */
export interface View {
  /** Covered by a fresh directory that the build may write to: everybody's /tmp, with its sockets. */
  scratch: string;
  /** Covered by empty directories. */
  covered: string[];
  /** In what is covered, and shown nevertheless, read-only. */
  shown: string[];
}

/** Sockets of the machine's services: a read-only mount keeps nobody from talking to them. */
const SOCKETS = "/run";
/** What resolves names where systemd does it. */
const RESOLVER = "/run/systemd/resolve";
/** What programs in `bin` need beside it. Anything else there may be credentials, as in ~/.cargo and ~/.docker. */
const BESIDE_BIN = ["lib", "lib64", "libexec", "share", "include"];
/** ~/.local/share is where keyrings are, and the data of every program. */
const BESIDE_LOCAL_BIN = ["lib", "lib64", "libexec"];

export function viewOf({ hidden, programs, network }: Room): View {
  const hiding = hidden.flatMap((each) => {
    const real = realDirectory(each);
    return real ? [{ named: resolve(each), real }] : [];
  });
  const secret = hiding.map(({ real }) => real);
  const scratch = realDirectory("/tmp") ?? "/tmp";
  const sockets = realDirectory(SOCKETS);
  const covered = outermost([...secret, ...(sockets ? [sockets] : [])], [scratch]);
  const wanted = programs
    .map((each) => resolve(each))
    .flatMap((program) => {
      // Where PATH names it, but without a link on the way to the cover, where it could not be followed; and where it really is.
      const through = hiding.find(({ named }) => isInside(program, named));
      const direct = through ? join(through.real, program.slice(through.named.length)) : program;
      return [direct, realDirectory(program) ?? direct].flatMap((each) => withSiblings(each, secret));
    });
  const shown = [...wanted, ...(network ? [RESOLVER] : [])].filter((each) => {
    const real = realDirectory(each);
    if (!real || ![scratch, ...covered].some((place) => isInside(each, place))) return false;
    // ~/.local/lib may hold DATA_DIR.
    return ![each, real].some((path) => secret.some((place) => place === path || isInside(place, path)));
  });
  return { scratch, covered, shown: outermost(shown) };
}

/** Without what is in another of them, or in or at one of `besides`. */
function outermost(directories: string[], besides: string[] = []): string[] {
  const others = [...directories, ...besides];
  const kept = directories.filter((each) => !besides.includes(each) && !others.some((other) => isInside(each, other)));
  return [...new Set(kept)].sort();
}

function withSiblings(program: string, secret: string[]): string[] {
  const parent = dirname(program);
  // What is beside ~/bin is the home.
  if (basename(program) !== "bin" || secret.includes(parent)) return [program];
  const beside = basename(parent) === ".local" ? BESIDE_LOCAL_BIN : BESIDE_BIN;
  return [program, ...beside.map((name) => join(parent, name))];
}

function isInside(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

/** Undefined where there is none that we, and so a build, can reach. */
function realDirectory(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? realpathSync(path) : undefined;
  } catch {
    return undefined;
  }
}
