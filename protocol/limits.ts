/** Bounds on everything that a peer can name. Beyond them the connection is closed with a reason. */

/** Bytes of one text message. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Bytes of content in one binary frame: small enough that another stream's frame never waits long. */
export const MAX_FRAME_BYTES = 64 * 1024;
/** Bytes that may be under way on one stream before the receiver has taken them. */
export const WINDOW_BYTES = 1024 * 1024;
/** Streams open at once on one connection. */
export const MAX_STREAMS = 32;
/** Paths in one message. */
export const MAX_ITEMS = 4096;
/** Blocks in which one file is compared: their hashes travel in one message. */
export const MAX_BLOCKS = 4096;
/** Entries of one directory's manifest: each costs the receiver about half a kilobyte. */
export const MAX_MANIFEST_ENTRIES = 1_000_000;
/** Characters of all paths, names and link targets in it: entries with long names are not the way around that. */
export const MAX_MANIFEST_CHARACTERS = 256 * 1024 * 1024;
/** Bytes of one file: 8 TiB, far beyond any recording. */
export const MAX_FILE_BYTES = 2 ** 43;
/** Bytes of the agent's package: about 27 MiB now. */
export const MAX_PACKAGE_BYTES = 256 * 1024 * 1024;
/** Characters of a text that is shown to people. */
export const MAX_TEXT = 65_536;
/** Milliseconds by which a clock can be wrong, either way: a century. What is said beyond it is no clock's error. */
export const MAX_CLOCK_OFFSET_MS = 100 * 366 * 86_400_000;
/** Bytes of the paths, actions or offers in one message: the rest of it has the difference to {@link MAX_MESSAGE_BYTES}. */
export const MAX_PAGE_BYTES = 3 * 1024 * 1024;
/** Paths that one report names, of each directory, as not travelling. */
export const MAX_SKIPPED = 100;
/** Extensions of one context that a dry run names as gained, changed or lost, each; more are counted. */
export const MAX_NAMED_EXTENSIONS = 1_000;
/** Differences of one directory that a verification names; more would only hide them. */
export const MAX_DIFFERENCES = 200;
/** Bytes of a file whose text one side shows of the other: a dialplan file, never a sound. */
export const MAX_CONTENT_BYTES = 256 * 1024;
/** How long a file may have to be quiet, milliseconds: an hour of silence is no longer "a file still being written". */
export const MAX_SETTLE_MS = 3_600_000;
/** How often there is a full pass, milliseconds. setTimeout counts to 2^31, about 24 days. */
export const MIN_RECONCILE_MS = 1_000;
export const MAX_RECONCILE_MS = 7 * 86_400_000;
