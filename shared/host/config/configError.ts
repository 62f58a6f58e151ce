import { countOf } from '#core/text/countOf.ts';
import { EXIT } from '../cli/exitCodes.ts';
import { printable } from '#core/text/printable.ts';

export type ConfigProblem = {
  /** The file it is in, when that is not the file that the error names. */
  readonly file?: string | undefined;
  /** 1 for the first line; undefined when the whole file is meant. */
  readonly line?: number | undefined;
  /** Such as `directories[1].deletions`; undefined when the whole file is meant. */
  readonly key?: string | undefined;
  /** What is wrong and what is allowed. */
  readonly message: string;
};

/** Most problems listed; a mistake may be repeated on every line of a file. */
const MAX_SHOWN = 20;

/** A configuration file that can't be used. The message holds a line `FILE:LINE: KEY: what is allowed` a problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = EXIT.usage;
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.slice(0, MAX_SHOWN).map((problem) => describe(problem.file ?? file, problem));
    if (problems.length > MAX_SHOWN)
      lines.push(`${file}: ${countOf(problems.length - MAX_SHOWN, 'more problem')}`);
    super(lines.join('\n'), options);
    this.file = file;
    this.problems = problems;
  }
}

function describe(file: string, { line, key, message }: ConfigProblem): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return printable(key === undefined ? `${where}: ${message}` : `${where}: ${key}: ${message}`);
}
