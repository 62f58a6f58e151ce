import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { type PackageOffer, packageOfferSchema } from '#protocol/messages/common.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { Folder } from '#host/fs/folder.ts';

/** The unit xivo-xds-sync-agent-upgrade.path waits for this file, so it is written last. */
const OFFER = 'offer.json';
const PACKAGE = 'package.deb';
const MAX_OFFER_BYTES = 4096;
const PIECE = 1 << 20;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;

/** Empties the inbox. @returns the path for the package */
export function clearInbox(inbox: string): string {
  rmSync(inbox, { recursive: true, force: true });
  mkdirSync(inbox, { mode: 0o700 });
  return path.join(inbox, PACKAGE);
}

/** Writes the offer, which starts the installer. */
export function handOver(inbox: string, offer: PackageOffer): void {
  writeFileDurably(path.join(inbox, OFFER), JSON.stringify(offer), { mode: 0o600 });
}

/** True when no offer is waiting in the inbox. */
export function isTaken(inbox: string): boolean {
  return !existsSync(path.join(inbox, OFFER));
}

/**
 * The installer's end: takes an offer and its package out of the inbox. The agent is not trusted and may have put anything
 * there, including links. The copy at `target` has the hash of the offer; the caller checks the offer's signature.
 * @throws when there is no offer, or the package differs from it
 */
export function takeOffer(inbox: string, check: (offer: PackageOffer) => void, target: string): PackageOffer {
  const parent = Folder.openRoot(path.dirname(inbox));
  try {
    const folder = parent.open(path.basename(inbox));
    try {
      const offer = readOffer(folder);
      check(offer);
      copyPackage(folder, offer, target);
      return offer;
    } finally {
      for (const name of [OFFER, PACKAGE]) rmSync(folder.at(name), { force: true });
      folder.close();
    }
  } finally {
    parent.close();
  }
}

function readOffer(folder: Folder): PackageOffer {
  const file = openRegular(folder, OFFER, MAX_OFFER_BYTES);
  try {
    return packageOfferSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } finally {
    closeSync(file);
  }
}

function copyPackage(folder: Folder, { size, sha256 }: PackageOffer, target: string): void {
  rmSync(target, { force: true });
  const from = openRegular(folder, PACKAGE, size);
  const to = openSync(target, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    const hash = createHash('sha256');
    const piece = Buffer.alloc(PIECE);
    let copied = 0;
    for (let n = readSync(from, piece); n > 0 && copied <= size; n = readSync(from, piece)) {
      hash.update(piece.subarray(0, n));
      for (let at = 0; at < n;) at += writeSync(to, piece, at, n - at);
      copied += n;
    }
    if (copied !== size || hash.digest('hex') !== sha256)
      throw new Error('the package is not the one that Main offered');
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

function openRegular(folder: Folder, name: string, most: number): number {
  const fd = openSync(folder.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const stat = fstatSync(fd);
  if (stat.isFile() && stat.size <= most) return fd;
  closeSync(fd);
  throw new Error(`${name} is not a file of at most ${most} bytes`);
}
