/** Set by build.mjs; "dev" when the sources are run as they are. */
declare const PROVIDER_RELEASE: string | undefined;

export const VERSION = {
  release: typeof PROVIDER_RELEASE === "string" ? PROVIDER_RELEASE : "dev",
  /** Of the program, not of a commit: the same sources give the same program. Written into the bundle when it is done. */
  sha: "@PROVIDER_SHA@",
};
