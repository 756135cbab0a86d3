import type { Sandbox } from "./sandbox.ts";
import { viewOf } from "./view.ts";

const NAMESPACES = "--user --map-root-user --mount --pid --fork --kill-child --mount-proc --ipc --uts".split(" ");

/**
 * Does what bubblewrap does, with util-linux alone. Paths come as arguments, never as text of the script. What is to be seen
 * again is opened, or bound to a place aside, before what holds it is covered; `-c` keeps mount(8) from turning it back into
 * the covered path. Any step that fails ends it all before the command is run.
 *
 * The command runs in a second user namespace. Mounts that it inherits from the first are locked there: nobody in it can take
 * a cover off, or make writable what is read-only, not even as root in a namespace of its own.
 */
const COVER = `set -e
trap 'echo "patch.moi: the sandbox could not be set up, so the command was not run" >&2' EXIT
tree=$1 home=$2 scratch=$3 command=$4; shift 4
read -r _ uid _ </proc/self/uid_map
read -r _ gid _ </proc/self/gid_map
cd "$tree"; exec 3<.
cd "$home"; exec 4<.
cd /
remount() { mount --options-source mtab -o "remount,bind,$1" "$2"; }

# A mount that is below another is no mount point any more, so its directory is made one.
points=$(cut -d' ' -f5 /proc/self/mountinfo)
printf '%s\\n' "$points" | while read -r at; do
  at=$(printf '%b' "$at")
  case $at in /proc | /proc/*) continue ;; esac
  [ -e "$at" ] || continue
  remount ro "$at" 2>/dev/null || { mount --rbind "$at" "$at"; remount ro "$at"; }
done
# Settings of the whole machine, which to root belong in any namespace.
for at in /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus; do
  [ -e "$at" ] || continue
  mount --bind "$at" "$at"
  remount ro "$at"
done

mount -t tmpfs -o nosuid,mode=0755 tmpfs "$home"
cd "$home"; exec 5<.; cd /
n=0
for directory; do
  case $directory in show:*)
    mkdir "$home/$n"
    mount --rbind "\${directory#show:}" "$home/$n"
    n=$((n + 1)) ;;
  esac
done
mkdir "$home/dev" "$home/dev/pts" "$home/dev/shm"
for device in null zero full random urandom tty; do
  [ -e "/dev/$device" ] || continue
  : >"$home/dev/$device"
  mount --bind "/dev/$device" "$home/dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$home/dev/pts"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$home/dev/shm"
ln -s pts/ptmx "$home/dev/ptmx"
ln -s /proc/self/fd "$home/dev/fd"
ln -s fd/0 "$home/dev/stdin"
ln -s fd/1 "$home/dev/stdout"
ln -s fd/2 "$home/dev/stderr"

mount -c --rbind /proc/self/fd/5/dev /dev
remount ro /dev
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$scratch"
for directory; do
  case $directory in hide:*) mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs "\${directory#hide:}" ;; esac
done
n=0
for directory; do
  case $directory in show:*)
    mkdir -p "\${directory#show:}"
    mount -c --rbind "/proc/self/fd/5/$n" "\${directory#show:}"
    n=$((n + 1)) ;;
  esac
done
mkdir -p "$home" "$tree"
mount -c --bind /proc/self/fd/4 "$home"
remount rw "$home"
mount -c --bind /proc/self/fd/3 "$tree"
remount rw "$tree"
for directory; do
  case $directory in hide:*) remount ro "\${directory#hide:}" ;; esac
done

exec 3<&- 4<&- 5<&-
cd "$tree"
trap - EXIT
# Not exec: this shell stays, to be the parent of what loses its own.
unshare --user --map-user="$uid" --map-group="$gid" --mount sh -c "$command"
exit $?`;

export const namespaces: Sandbox = {
  name: "namespaces",
  wrap(command, room) {
    const { scratch, covered, shown } = viewOf(room);
    return [
      ...["unshare", ...NAMESPACES, ...(room.network ? [] : ["--net"])],
      ...["sh", "-c", COVER, "cover", room.tree, room.home, scratch, command],
      ...covered.map((directory) => `hide:${directory}`),
      ...shown.map((directory) => `show:${directory}`),
    ];
  },
};
