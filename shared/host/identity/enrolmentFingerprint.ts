import { createHash } from 'node:crypto';
import { formatFingerprint } from './pin.ts';
import type { Pin } from './pin.ts';

/**
 * 160 bits: a man in the middle chooses two keys, one towards each side, and needs a collision, so half the bits count.
 * 80 bits are infeasible; the 48 bits of a 96-bit fingerprint are not.
 */
const HEX_DIGITS = 40;
const LABEL = 'xivo-xds-sync enrolment fingerprint v1';

/**
 * The fingerprint that a person compares on both screens when an MDS enrols without a token: ten groups of four hex
 * digits, equal on Main and on the MDS exactly if each sees the other's own key.
 */
export function enrolmentFingerprint(pins: { mainPin: Pin; agentPin: Pin }): string {
  const digest = createHash('sha256').update(`${LABEL}\n${pins.mainPin}\n${pins.agentPin}\n`).digest('hex');
  return formatFingerprint(digest.slice(0, HEX_DIGITS));
}
