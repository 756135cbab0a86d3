/**
 * The files of the quickstart's upstream, a note-taking program in plain sh, and of the three patches of its fork.
 * They are made so that v1.1.0 takes one patch and leaves the others clean, and v1.2.0 rewrites the line that another changed.
 */

export type Files = Record<string, string>;

const main = `#!/bin/sh
# notch: keep short notes in a plain file.
set -eu
here=$(dirname "$0")
. "$here/lib/store.sh"
. "$here/lib/format.sh"

case "\${1:-}" in
  add)
    shift
    store_add "$*"
    ;;
  list)
    store_all | format_notes
    ;;
  *)
    echo "usage: notch add TEXT | notch list" >&2
    exit 64
    ;;
esac
`;

const store = `# Where notes are kept: one line a note, oldest first.

notes_file() {
  echo "\${NOTCH_FILE:-$HOME/.notch}"
}

store_add() {
  file=$(notes_file)
  mkdir -p $(dirname $file)
  printf '%s\\n' "$1" >> $file
}

store_all() {
  file=$(notes_file)
  [ ! -f "$file" ] || cat "$file"
}
`;

const format = `# How notes are shown.

format_notes() {
  while IFS= read -r note; do
    printf '%s\\n' "$note"
  done
}
`;

const check = `#!/bin/sh
# The build check: every file parses, every test passes.
set -eu
cd "$(dirname "$0")"
for file in notch check.sh lib/*.sh tests/*.sh; do
  sh -n "$file"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for test in tests/*.sh; do
  HOME="$work/$(basename "$test")" sh "$test"
  echo "ok $test"
done
`;

const testAdd = `set -eu
sh ./notch add buy milk
sh ./notch list | grep -q 'buy milk$'
`;

const readme = `# notch

Keeps short notes in a plain file.

    notch add buy milk
    notch list
`;

const changelog = `# Changelog

## 1.0.0

- First release.
`;

export const V1_0_0: Files = {
  notch: main,
  "lib/store.sh": store,
  "lib/format.sh": format,
  "tests/add.sh": testAdd,
  "check.sh": check,
  "README.md": readme,
  "CHANGELOG.md": changelog,
};

// The fork's stack, oldest first.

const xdgStore = store.replace("$HOME/.notch", "${XDG_DATA_HOME:-$HOME/.local/share}/notch/notes");
const quoted = (text: string) =>
  text.replace("mkdir -p $(dirname $file)", 'mkdir -p "$(dirname "$file")"').replace(">> $file", '>> "$file"');

/** Not in upstream, and touches nothing that upstream changes. */
export const XDG_PATCH: Files = {
  "lib/store.sh": xdgStore,
  "tests/xdg.sh": `set -eu
XDG_DATA_HOME="$HOME/data" sh ./notch add call Ada
grep -q 'call Ada' "$HOME/data/notch/notes"
`,
};

/** The one that upstream takes in v1.1.0. */
export const QUOTE_PATCH: Files = { "lib/store.sh": quoted(xdgStore) };

/** The one that v1.2.0 collides with. */
export const BULLET_PATCH: Files = {
  "lib/format.sh": format.replace("printf '%s\\n' \"$note\"", "printf -- '- %s\\n' \"$note\""),
  "tests/bullet.sh": `set -eu
sh ./notch add water the plants
sh ./notch list | grep -q -e '^- '
`,
};

// Upstream's next releases.

/** v1.1.0, first commit: the fork's fix, taken by upstream. */
export const TAKEN_QUOTES: Files = { "lib/store.sh": quoted(store) };

/** v1.1.0, second commit. */
export const COUNT_COMMAND: Files = {
  notch: main
    .replace("  *)", "  count)\n    store_all | wc -l\n    ;;\n  *)")
    .replace("| notch list", "| notch list | notch count"),
  "tests/count.sh": `set -eu
sh ./notch add one
sh ./notch add two
[ "$(sh ./notch count)" -eq 2 ]
`,
  "README.md": `${readme}    notch count\n`,
  "CHANGELOG.md": changelog.replace("## 1.0.0", "## 1.1.0\n\n- notch count.\n- Paths with spaces work.\n\n## 1.0.0"),
};

/** v1.2.0: the line that the fork's third patch changed is rewritten. */
export const NUMBERED_LIST: Files = {
  "lib/format.sh": `# How notes are shown.

format_notes() {
  number=0
  while IFS= read -r note; do
    number=$((number + 1))
    printf '%d %s\\n' "$number" "$note"
  done
}
`,
  "tests/number.sh": `set -eu
sh ./notch add first
sh ./notch add second
sh ./notch list | grep -q '2 second$'
`,
  "CHANGELOG.md":
    COUNT_COMMAND["CHANGELOG.md"]?.replace("## 1.1.0", "## 1.2.0\n\n- Notes are numbered.\n\n## 1.1.0") ?? "",
};

/** What a person makes of the conflict: numbers as upstream has them, behind the fork's dash. */
export const RESOLUTION: { path: string; content: string } = {
  path: "lib/format.sh",
  content: `# How notes are shown.

format_notes() {
  number=0
  while IFS= read -r note; do
    number=$((number + 1))
    printf -- '- %d %s\\n' "$number" "$note"
  done
}
`,
};
