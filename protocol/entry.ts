import * as z from 'zod';
import { MAX_FILE_BYTES } from './limits.ts';

const path = z.string().min(1).max(8192);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/**
 * Nanoseconds since 1970, decimal: beyond what a JSON number holds exactly. A file system may hold 64 bits of seconds
 * (ext4: 1901 to 2446). To a peer without the capability `far-times` only up to 19 digits (2286).
 */
const mtime = z.string().refine(isFileTime, 'no time of a file');
/** The offset of a clock: nanoseconds, decimal. */
const nanoseconds = z.string().regex(/^-?\d{1,19}$/);
const id = z.int().min(0).max(0xffff_ffff);
const account = z.string().min(1).max(256);
const mode = z.int().min(0).max(0o7777);

/** Whether a text is a time that a file system can hold. */
export function isFileTime(text: string): boolean {
  if (!/^-?\d{1,28}$/.test(text)) return false;
  if (text.length < 28) return true;
  const seconds = BigInt(text) / 1_000_000_000n;
  return seconds < 2n ** 63n && seconds >= -(2n ** 63n);
}

const ownership = { owner: account, group: account, uid: id, gid: id };

const fileEntry = z.strictObject({
  type: z.literal('file'),
  size: z.int().min(0).max(MAX_FILE_BYTES),
  hash,
  mtime,
  mode,
  ...ownership,
});
const folderEntry = z.strictObject({ type: z.literal('folder'), mode, ...ownership });
const linkEntry = z.strictObject({
  type: z.literal('link'),
  target: z.string().min(1).max(4096),
  ...ownership,
});

export const entrySchema = z.discriminatedUnion('type', [fileEntry, folderEntry, linkEntry]);
export const pathSchema = path;
export const hashSchema = hash;
export const nanosecondsSchema = nanoseconds;

/**
 * The properties of a path that travel. Owner and group are sent by name; a host that does not know the name uses
 * the number. A folder's mtime changes with its content, so it does not travel.
 */
export type Entry = Readonly<z.infer<typeof entrySchema>>;
export type FileEntry = Readonly<z.infer<typeof fileEntry>>;
export type FolderEntry = Readonly<z.infer<typeof folderEntry>>;
export type LinkEntry = Readonly<z.infer<typeof linkEntry>>;
