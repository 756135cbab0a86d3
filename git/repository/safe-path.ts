/** Which paths of a tree may come from a stranger. */

export const MOST_PATH_BYTES = 4096;
/** Bytes of the characters that HFS+ leaves out of names (git's utf8.c, next_hfs_char). */
const IGNORED_BY_HFS = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g;
/** As NTFS reads them: short names, dots and blanks at the end, streams (git's path.c, is_ntfs_dotgit). */
const GIT_DIRECTORY = /^(?:\.git|git~\d+)[. ]*(?::.*)?$/is;

/** Whether the path (bytes, paths.ts) stays in its tree and out of every `.git`, on every file system. */
export function isSafePath(path: string): boolean {
  const parts = path.split("/");
  const inner = parts.flatMap((part) => part.split("\\"));
  return (
    path.length <= MOST_PATH_BYTES &&
    !parts.includes("") &&
    !inner.some((part) => /^\.{1,2}$/.test(part) || GIT_DIRECTORY.test(part.replace(IGNORED_BY_HFS, "")))
  );
}
