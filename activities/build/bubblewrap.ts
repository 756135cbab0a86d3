import type { Sandbox } from "./sandbox.ts";
import { viewOf } from "./view.ts";

/** Settings of the whole machine. To root they belong, in any namespace; bubblewrap takes them for covered by their directories' modes. */
const KERNEL = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"];

export const bubblewrap: Sandbox = {
  name: "bubblewrap",
  wrap(command, room) {
    const { scratch, covered, shown } = viewOf(room);
    return [
      ...["bwrap", "--die-with-parent", "--new-session", "--unshare-all", ...(room.network ? ["--share-net"] : [])],
      // As root it would keep them, and could take the covers off.
      ...["--cap-drop", "ALL"],
      ...["--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/dev/shm", "--proc", "/proc", "--tmpfs", scratch],
      ...KERNEL.flatMap((path) => ["--ro-bind-try", path, path]),
      ...covered.flatMap((directory) => ["--tmpfs", directory]),
      ...shown.flatMap((directory) => ["--ro-bind", directory, directory]),
      ...[room.tree, room.home].flatMap((directory) => ["--bind", directory, directory]),
      ...["/dev", ...covered].flatMap((directory) => ["--remount-ro", directory]),
      ...["--chdir", room.tree, "--", "sh", "-c", command],
    ];
  },
};
