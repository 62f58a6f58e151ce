import { createHash } from 'node:crypto';

/**
 * Bytes that don't compress, and that are the same in every run: where a file is cut into chunks depends on its content,
 * and with it how much a change of it sends.
 * @param label other labels give other bytes
 */
export function sameBytes(label: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(label).digest();
}
