import picomatch from "picomatch";

/** Whether `fork.releases.tags` wants a tag. `*` also matches `/`, so that the default `*` is every tag. */
export function matchesTags(glob: string, tag: string): boolean {
  return picomatch.isMatch(tag, glob, { dot: true, bash: true, windows: false });
}
