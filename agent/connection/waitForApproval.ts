import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnrolAnswer } from '#protocol/messages/enrolment.ts';
import { directoriesText } from '#host/config/defaultText.ts';
import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';
import type { Logger } from '#host/log/logger.ts';
import { jitter } from '#host/time/jitter.ts';
import type { Credentials } from './credentials.ts';

/** How often Main is asked, milliseconds: a person who has just approved is looking on. */
const ASK_EVERY = 2_000;

/**
 * Asks Main until a person has approved this MDS there, or the signal ends it.
 * @param tell is called with what keeps it waiting
 * @returns Main's directories, or undefined when it was ended
 */
export async function waitForApproval(
  credentials: Credentials,
  log: Logger,
  tell: (problem: string) => void,
  signal: AbortSignal,
): Promise<Extract<EnrolAnswer, { type: 'enrolled' }>['directories'] | undefined> {
  let told = '';
  while (!signal.aborted) {
    const problem = await askOnce(credentials);
    if (typeof problem !== 'string') {
      log.info('enrolment was approved', { name: credentials.name });
      return problem;
    }
    tell(problem);
    if (problem !== told) log.warn('not enrolled yet', { reason: problem });
    told = problem;
    await sleep(jitter(ASK_EVERY), undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function askOnce(
  credentials: Credentials,
): Promise<string | Extract<EnrolAnswer, { type: 'enrolled' }>['directories']> {
  try {
    const answer = await credentials.renew();
    if (answer !== undefined) return answer.directories;
    return (
      `waits for approval: compare the fingerprint ${enrolmentFingerprint(credentials.pins)} with the one that ` +
      `"xivo-xds-sync mds list" shows on Main, and when they are equal, run there: xivo-xds-sync mds approve ${credentials.name}`
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Where Main's directories lie, for a configuration that was written before Main said so; what a person wrote stays. */
export function addDirectories(
  configFile: string,
  directories: readonly { readonly name: string; readonly path: string }[],
): void {
  if (/^directories:/m.test(readFileSync(configFile, 'utf8'))) return;
  appendFileSync(configFile, `\n# As they lie on Main.\n${directoriesText(directories)}`);
}
