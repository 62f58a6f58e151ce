import type { DirectoryName } from '../support/harness/host.ts';
import { Random } from './random.ts';

/**
 * A content that no other operation writes, of about `size` bytes. In the dialplan it is one that Asterisk takes.
 * @param operation its number; with the seed it determines the content
 */
export function contentOf(directory: DirectoryName, seed: number, operation: number, size: number): Buffer {
  const name = `${seed}-${operation}`;
  if (directory === 'dialplan') {
    const padding = '; padding padding padding padding\n'.repeat(Math.floor(Math.min(size, 20_000) / 34));
    return Buffer.from(`; ${name}\n[soak-${name}]\nexten = 201,1,NoOp(${name})\n${padding}`);
  }
  const random = new Random(seed ^ Math.imul(operation, 0x9e3779b1));
  const head = Buffer.from(`${name}\n`);
  const body = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) body.writeUInt32LE(Math.floor(random.next() * 2 ** 32), i);
  return Buffer.concat([head, body]);
}

/** A content of up to 2 KiB that no other file has. @param file its number among those of the operation */
export function smallContentOf(seed: number, operation: number, file: number): Buffer {
  return Buffer.from(`${seed}-${operation}-${file}\n`.repeat(1 + ((file * 7) % 100)));
}
