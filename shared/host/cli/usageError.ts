import { EXIT } from './exitCodes.ts';

/** A command line that can't be carried out; the message says what was given and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = EXIT.usage;
}
