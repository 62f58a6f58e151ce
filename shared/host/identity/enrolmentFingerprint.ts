import { createHash } from 'node:crypto';
import { formatFingerprint } from './pin.ts';
import type { Pin } from './pin.ts';

/**
 * 160 bits: someone in the middle picks two keys, one towards each side, and needs a collision, so half the bits
 * count; 80 are out of reach, the 48 of a fingerprint of 96 bits are not.
 */
const HEX_DIGITS = 40;
const LABEL = 'xivo-xds-sync enrolment fingerprint v1';

/**
 * What a person compares on both screens when an MDS enrols without a token: ten groups of four hex digits that are
 * the same on Main and on the MDS exactly if each sees the other's own key.
 */
export function enrolmentFingerprint(pins: { mainPin: Pin; agentPin: Pin }): string {
  const digest = createHash('sha256').update(`${LABEL}\n${pins.mainPin}\n${pins.agentPin}\n`).digest('hex');
  return formatFingerprint(digest.slice(0, HEX_DIGITS));
}
