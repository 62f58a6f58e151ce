import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';
import { makeNamesDurable, writeFileDurably } from '#host/fs/durableFile.ts';
import { isPin } from '#host/identity/pin.ts';

const FILE = 'main.json';

const pin = z.string().refine(isPin);

const schema = z.strictObject({
  name: z.string(),
  mainPin: pin,
  /** The pin of Main's next key, announced over a session under `mainPin`. */
  nextMainPin: pin.exactOptional(),
  /** False until a person has approved it on Main. */
  approved: z.boolean(),
});

/** The membership of this MDS: Main's pin, and the name of this MDS on Main. */
export type Membership = Readonly<z.infer<typeof schema>>;

/** Writes the membership durably (mode 0600). @throws an error that names the file when it can't be written */
export function saveMembership(folder: string, membership: Membership): void {
  writeFileDurably(path.join(folder, FILE), `${JSON.stringify(membership)}\n`, { mode: 0o600 });
}

/** @throws when the file is damaged: the message names it */
export function loadMembership(folder: string): Membership | undefined {
  const file = path.join(folder, FILE);
  if (!existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')), interpreted());
  } catch (error) {
    throw new Error(
      `${file} is damaged: enrol this MDS again with a token made by "xivo-xds-sync mds add NAME --replace" on Main`,
      { cause: error },
    );
  }
}

/** Deletes the membership durably; succeeds when there is none. */
export function removeMembership(folder: string): void {
  rmSync(path.join(folder, FILE), { force: true });
  makeNamesDurable(folder);
}
