/** Bounds on everything that a peer can name. Beyond them the connection is closed with a reason. */

/** Bytes of one text message. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Bytes of content in one binary frame: small enough that another stream's frame never waits long. */
export const MAX_FRAME_BYTES = 64 * 1024;
/** Bytes in flight on one stream that the receiver has not consumed yet. */
export const WINDOW_BYTES = 1024 * 1024;
/** Streams open at once on one connection. */
export const MAX_STREAMS = 32;
/** Paths in one message. */
export const MAX_ITEMS = 4096;
/** Blocks in which one file is compared with a side of an older version: their hashes travel in one message. */
export const MAX_BLOCKS = 4096;
/** Chunks of one file that are compared: their digests travel in one message, 16 bytes each. What comes after them is sent. */
export const MAX_CHUNKS = 32_768;
/** Parts of which one file is put together, each content or a run of chunks: they travel in one header of 176 KiB at most. */
export const MAX_PARTS = 8192;
/** Most parts in which two manifests are compared by their digests; a power of two. */
export const MAX_BUCKETS = 2048;
/** Bytes of a digest that travel for a part, where that of the whole decides in the end: equal by accident once in 2^96. */
export const SHORT_DIGEST_BYTES = 12;
/** The same in base64, which needs no padding. */
export const SHORT_DIGEST_CHARACTERS = 16;
/** Entries of one directory's manifest: each costs the receiver about half a kilobyte. */
export const MAX_MANIFEST_ENTRIES = 1_000_000;
/** Characters of all paths, names and link targets in a manifest, so that long names do not get around that limit. */
export const MAX_MANIFEST_CHARACTERS = 256 * 1024 * 1024;
/** Bytes of one file: 8 TiB, far beyond any recording. */
export const MAX_FILE_BYTES = 2 ** 43;
/** Bytes of the agent's package: about 27 MiB now. */
export const MAX_PACKAGE_BYTES = 256 * 1024 * 1024;
/** Characters of a text that is shown to people. */
export const MAX_TEXT = 65_536;
/** Largest plausible clock offset in either direction, milliseconds: a century. Larger values are rejected. */
export const MAX_CLOCK_OFFSET_MS = 100 * 366 * 86_400_000;
/** Bytes of the paths, actions or offers in one message. The other fields fit into the rest of {@link MAX_MESSAGE_BYTES}. */
export const MAX_PAGE_BYTES = 3 * 1024 * 1024;
/** Paths per directory that one report lists as skipped. */
export const MAX_SKIPPED = 100;
/** Extensions per context that a dry run lists as gained, as changed and as lost; further ones are only counted. */
export const MAX_NAMED_EXTENSIONS = 1_000;
/** Differences per directory that a verification lists; a longer list would hide the first ones. */
export const MAX_DIFFERENCES = 200;
/** Bytes of a file whose text is shown in a diff: enough for dialplan files, sounds are not shown. */
export const MAX_CONTENT_BYTES = 256 * 1024;
/** Longest settle time that can be configured, milliseconds: after an hour of silence a file is not being written any more. */
export const MAX_SETTLE_MS = 3_600_000;
/** Longest interval between full passes, milliseconds. setTimeout accepts up to 2^31, about 24 days. */
export const MIN_RECONCILE_MS = 1_000;
export const MAX_RECONCILE_MS = 7 * 86_400_000;
