import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, type ConfigProblem } from '../config/configError.ts';
import { EXIT } from './exitCodes.ts';

export type CheckedConfig = {
  /** Every file that was read, in order of precedence, lowest first. */
  readonly files: readonly string[];
  /** Settings that contradict other facts known on this host. */
  readonly problems: readonly (ConfigProblem & { readonly message: string })[];
};

/** What `check-config --json` prints, beside the version. */
export type ConfigCheck = {
  readonly ok: boolean;
  readonly files: readonly string[];
  readonly problems: readonly {
    readonly file: string | null;
    readonly line: number | null;
    readonly key: string | null;
    readonly message: string;
  }[];
};

/**
 * Reads a configuration as the daemon would.
 * @param load reads the file and its `.d` folder @throws ConfigError
 */
export function checkConfig(file: string, load: (file: string) => CheckedConfig): ConfigCheck {
  const absolute = path.resolve(file);
  let problems: readonly ConfigProblem[];
  let files: readonly string[] = [absolute];
  let named = absolute;
  try {
    if (!existsSync(absolute)) throw new ConfigError(absolute, [{ message: 'no such file' }]);
    ({ files, problems } = load(absolute));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    named = error.file;
    ({ problems } = error);
  }
  return {
    ok: problems.length === 0,
    files,
    problems: problems.map(({ file: at, line, key, message }) => ({
      file: at ?? named,
      line: line ?? null,
      key: key ?? null,
      message,
    })),
  };
}

/** The lines for people, and the exit code. @param afterwards the next step when the configuration is valid */
export function renderConfigCheck(check: ConfigCheck, afterwards: string): string[] {
  if (check.ok) return [...check.files.map((file) => `${file}: ok`), afterwards];
  return check.problems.map(({ file, line, key, message }) =>
    [file + (line === null ? '' : `:${line}`), ...(key === null ? [] : [key]), message].join(': '),
  );
}

/** 0 when the configuration is valid, otherwise 2. */
export function exitCodeOfConfigCheck({ ok }: ConfigCheck): number {
  return ok ? EXIT.done : EXIT.usage;
}
