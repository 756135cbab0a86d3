import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** What keeps a build, which runs upstream's code, from the rest of the machine. */
export interface Sandbox {
  name: "bubblewrap" | "namespaces" | "none";
  /** The argv that runs `sh -c command` in `room.tree`. */
  wrap(command: string, room: Room): string[];
}

export interface Room {
  /** The exported tree: the only place, besides a fresh /tmp and home, that the build may write to. */
  tree: string;
  /** A directory of the build's own. */
  home: string;
  network: boolean;
  /** Directories that the build must not see: the service's data, the operator's home. */
  hidden: string[];
  /** Directories of programs, as in PATH, which stay readable also where a hidden directory holds them. */
  programs: string[];
}

/** The strongest sandbox that this machine really lets us use; tried, not guessed. */
export async function findSandbox(): Promise<Sandbox> {
  if (await works("bwrap", ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "true"]))
    return bubblewrap;
  if (await works("unshare", [...NAMESPACES, "--net", "sh", "-c", "mount -t tmpfs tmpfs /tmp"])) return namespaces;
  return none;
}

const bubblewrap: Sandbox = {
  name: "bubblewrap",
  wrap: (command, room) => [
    ...["bwrap", "--die-with-parent", "--new-session", "--unshare-all", ...(room.network ? ["--share-net"] : [])],
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run"],
    ...room.hidden.flatMap((directory) => ["--tmpfs", directory]),
    ...visiblePrograms(room).flatMap((directory) => ["--ro-bind", directory, directory]),
    ...(room.network ? ["--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"] : []),
    ...[room.tree, room.home].flatMap((directory) => ["--bind", directory, directory]),
    ...["--chdir", room.tree, "--", "sh", "-c", command],
  ],
};

const NAMESPACES = [
  "--user",
  "--map-root-user",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--ipc",
  "--uts",
];

/** Paths come as arguments, never as text of the script. Binds are made from directories
 * that were opened before their parents are covered; `-c` keeps mount(8) from turning them back into the covered paths. */
const COVER = `set -e
tree=$1 home=$2 command=$3; shift 3
cd "$tree"; exec 3<.
cd "$home"; exec 4<.
n=0
for d; do
  case $d in
    hide:*) mount -t tmpfs tmpfs "\${d#hide:}" ;;
  esac
done
mkdir -p "$home" "$tree"
mount -c --bind /proc/self/fd/4 "$home"
mount -c --bind /proc/self/fd/3 "$tree"
exec 3<&- 4<&-
cd "$tree"
exec sh -c "$command"`;

const namespaces: Sandbox = {
  name: "namespaces",
  wrap: (command, room) => [
    ...[
      "unshare",
      ...NAMESPACES,
      ...(room.network ? [] : ["--net"]),
      "sh",
      "-c",
      COVER,
      "cover",
      room.tree,
      room.home,
      command,
    ],
    ...room.hidden.filter((directory) => !holdsPrograms(directory, room)).map((directory) => `hide:${directory}`),
  ],
};

const none: Sandbox = { name: "none", wrap: (command) => ["sh", "-c", command] };

/** A program's directory is shown with its siblings (`lib` beside `bin`), but never a whole home. */
function visiblePrograms({ hidden, programs }: Room): string[] {
  const inside = programs.filter((directory) => hidden.some((each) => directory.startsWith(`${each}/`)));
  return inside.map((directory) => {
    const parent = dirname(directory);
    const bare = hidden.includes(parent) || parent.endsWith("/.local");
    return directory.endsWith("/bin") && !bare ? parent : directory;
  });
}

function holdsPrograms(directory: string, { programs }: Room): boolean {
  return programs.some((each) => each.startsWith(`${directory}/`));
}

async function works(program: string, args: string[]): Promise<boolean> {
  try {
    await promisify(execFile)(program, args, { timeout: 5_000 });
    return true;
  } catch {
    return false;
  }
}
