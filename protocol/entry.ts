import * as z from 'zod';
import { MAX_FILE_BYTES } from './limits.ts';

const path = z.string().min(1).max(8192);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Nanoseconds since 1970, decimal: beyond what a JSON number holds exactly. */
const nanoseconds = z.string().regex(/^-?\d{1,19}$/);
const id = z.int().min(0).max(0xffff_ffff);
const account = z.string().min(1).max(256);
const mode = z.int().min(0).max(0o7777);

const ownership = { owner: account, group: account, uid: id, gid: id };

const fileEntry = z.strictObject({
  type: z.literal('file'),
  size: z.int().min(0).max(MAX_FILE_BYTES),
  hash,
  mtime: nanoseconds,
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
 * What a path holds, as far as it travels. Owner and group go by name; a host that does not know the name uses
 * the number. A folder's mtime changes with its content, so it does not travel.
 */
export type Entry = Readonly<z.infer<typeof entrySchema>>;
export type FileEntry = Readonly<z.infer<typeof fileEntry>>;
export type FolderEntry = Readonly<z.infer<typeof folderEntry>>;
export type LinkEntry = Readonly<z.infer<typeof linkEntry>>;
