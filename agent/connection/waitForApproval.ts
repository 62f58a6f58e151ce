import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';
import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { jitter } from '#host/time/jitter.ts';
import type { Credentials } from './credentials.ts';

/** Interval at which Main is asked, milliseconds; short, since a person who has just approved is waiting. */
const ASK_EVERY = 2_000;

/**
 * Asks Main until a person has approved this MDS there, or the signal ends it.
 * @param onProblem called with the reason of each failed attempt
 * @returns false when the signal ended it
 */
export async function waitForApproval(
  credentials: Credentials,
  { clock, log, onProblem }: { clock: Clock; log: Logger; onProblem: (problem: string) => void },
  signal: AbortSignal,
): Promise<boolean> {
  let lastLogged = '';
  while (!signal.aborted) {
    const problem = await askOnce(credentials, signal);
    if (problem === undefined) {
      log.info('enrolment was approved', { name: credentials.name });
      return true;
    }
    onProblem(problem);
    if (problem !== lastLogged) log.warn('not enrolled yet', { reason: problem });
    lastLogged = problem;
    await pause(clock, jitter(ASK_EVERY), signal);
  }
  return false;
}

/** @returns why it is not approved yet; undefined when it is approved */
async function askOnce(credentials: Credentials, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await credentials.renew(signal);
    if (answer !== undefined) return undefined;
    return (
      `waits for approval: compare the fingerprint ${enrolmentFingerprint(credentials.pins)} with the one that ` +
      `"xivo-xds-sync mds list" shows on Main, and when they are equal, run there: xivo-xds-sync mds approve ${credentials.name}`
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
