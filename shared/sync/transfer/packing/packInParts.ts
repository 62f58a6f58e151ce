import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import tar from 'tar-stream';
import { OpenFolders } from '#host/fs/openFolders.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import type { ArchivePart, ArchiveParts } from './archiveParts.ts';
import { ENCODING, errorHeader, paysToCompress, ZSTD_WINDOW_LOG } from '../format.ts';
import type { Packed } from '../packed.ts';
import { isSmall, readSmall } from '../smallFile.ts';

const compress = promisify(zlib.zstdCompress);
/** Files and bytes of content from which on a part is full. */
const PART_FILES = 128;
const PART_BYTES = 256 * 1024;
/** Fewer bytes are not worth a part. */
const WORTHWHILE = 16 * 1024;
/** The two blocks that end an archive. */
const END = Buffer.alloc(1024);
const NOTHING = Buffer.alloc(0);

/** The MDS that requests a list, and the parts that others have requested. */
export type Sharing = { readonly parts: ArchiveParts; readonly mds: string };

export type PackOptions = {
  /** Absent for what is requested once only. */
  readonly sharing?: Sharing;
  /** Called when everything has been sent; the archive ends only after it. */
  readonly beforeEnd?: () => Promise<void>;
};

/** True for a list that may be packed in parts, and once for all who request it: small files, all of them whole. */
export function isPackedInParts(files: readonly Packed[]): boolean {
  const isPlain = (file: Packed): boolean =>
    isSmall(file) && file.refusal === undefined && file.base === undefined;
  return files.every(isPlain) && files.reduce((sum, { size }) => sum + size, 0) >= WORTHWHILE;
}

/**
 * Sends small files as `packFiles` does, but a part of them at a time, which takes less for each; with the parts that others
 * have requested, too, packed once. With compression each part is a frame of its own: the decoder joins them.
 * @throws when the stream or `beforeEnd` fails; files that can't be read do not make it fail
 */
export async function packInParts(
  root: string,
  files: readonly Packed[],
  out: OutgoingStream,
  { sharing, beforeEnd }: PackOptions,
): Promise<void> {
  const isCompressed = paysToCompress(files);
  await out.write(Buffer.of(isCompressed ? ENCODING.zstd : ENCODING.plain));
  for (const { first, members } of partsOf(files)) {
    const pack = (): Promise<ArchivePart> => packPart(root, first, members, isCompressed);
    const { bytes } =
      sharing === undefined
        ? await pack()
        : await sharing.parts.get(keyOf(root, first, members, isCompressed), sharing.mds, pack);
    await out.write(bytes);
  }
  await out.write(isCompressed ? await compressed(END) : END);
  await beforeEnd?.();
  await out.end();
}

function* partsOf(files: readonly Packed[]): Generator<{ first: number; members: Packed[] }, undefined> {
  let members: Packed[] = [];
  let bytes = 0;
  for (const [number, file] of files.entries()) {
    members.push(file);
    bytes += file.size;
    if (members.length < PART_FILES && bytes < PART_BYTES && number + 1 < files.length) continue;
    yield { first: number + 1 - members.length, members };
    members = [];
    bytes = 0;
  }
}

/** The stamp stands for the version: it has the inode, the size and the times. */
function keyOf(root: string, first: number, files: readonly Packed[], isCompressed: boolean): string {
  const hash = createHash('sha256').update(`${root}\0${first}\0${isCompressed}`);
  for (const { path, stamp, size } of files) hash.update(`\0${stamp}\0${size}\0${path}`);
  return hash.digest('base64');
}

async function packPart(
  root: string,
  first: number,
  files: readonly Packed[],
  isCompressed: boolean,
): Promise<ArchivePart> {
  using open = new OpenFolders(root);
  const pack = tar.pack();
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    pack.on('data', (chunk) => chunks.push(chunk as Buffer));
    pack.on('end', resolve);
    pack.on('error', reject);
  });
  let isWhole = true;
  // Memory for all contents: one buffer for each would cost as much as reading it.
  let rest = Buffer.allocUnsafe(files.reduce((sum, { size }) => sum + size, 0));
  for (const [index, file] of files.entries()) {
    const content = rest.subarray(0, file.size);
    rest = rest.subarray(file.size);
    const why = readSmall(open, file, content);
    const number = first + index;
    // The archive is read by nothing that could fall behind, so that no entry is waited for.
    if (why === undefined) pack.entry({ name: String(number), size: file.size }, content);
    else pack.entry(errorHeader(number, why), NOTHING);
    isWhole &&= why === undefined;
  }
  pack.finalize();
  await ended;
  // Only the last part is followed by the end of the archive.
  const bytes = Buffer.concat(chunks).subarray(0, -END.length);
  return { bytes: isCompressed ? await compressed(bytes) : bytes, isWhole };
}

function compressed(bytes: Buffer): Promise<Buffer> {
  return compress(bytes, { params: { [zlib.constants.ZSTD_c_windowLog]: ZSTD_WINDOW_LOG } });
}
