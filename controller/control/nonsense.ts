import type { ArrivingBody } from '#protocol/messages/answers.ts';

/** The message for an MDS whose answer does not fit the command. */
export function whyNonsense(body: ArrivingBody | undefined): string {
  const found =
    body === undefined ? 'it is empty' : body.to === 'nonsense' ? body.reason : `it is one to "${body.to}"`;
  return `its answer is invalid (${found}): is its agent up to date?`;
}
