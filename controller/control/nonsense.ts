import type { ArrivingBody } from '#protocol/messages/answers.ts';

/** What to say of an MDS whose answer is not what it was asked for. */
export function whyNonsense(body: ArrivingBody | undefined): string {
  const found =
    body === undefined ? 'it is empty' : body.to === 'nonsense' ? body.reason : `it is one to "${body.to}"`;
  return `its answer is invalid (${found}): is its agent up to date?`;
}
