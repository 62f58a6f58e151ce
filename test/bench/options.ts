import { parseArgs } from 'node:util';

/** How much is measured: the usual number, that of `--quick`, and what it counts. */
const SIZES = {
  runs: [3, 1, 'how often everything is measured'],
  files: [10_000, 3_000, 'files of 2 to 8 KiB in the first pass, and in the folder of the live changes'],
  large: [600, 200, 'size of a large file, in MiB'],
  idle: [100_000, 30_000, 'files that are the same on both sides'],
  recordings: [200, 30, 'files of 2 to 4 MB, both ways'],
  mds: [16, 4, 'MDS that get the same files'],
  batch: [3_000, 500, 'files of 2 to 8 KiB that they get'],
  renamed: [10_000, 1_000, 'files in a folder that is renamed'],
  agents: [200, 50, 'agents in one process'],
} as const;

export type Sizes = { readonly [Name in keyof typeof SIZES]: number };

export type Options = {
  readonly sizes: Sizes;
  /** Less of everything, and only rsync over ssh and the limits beside this program. */
  readonly quick: boolean;
  readonly only: ReadonlySet<string>;
};

/**
 * Reads the command line.
 * @param scenarios the names that `--only` takes, each with what it measures
 * @returns undefined when only {@link usage} was asked for
 * @throws when a name or a number makes no sense
 */
export function readOptions(
  words: readonly string[],
  scenarios: ReadonlyMap<string, string>,
): Options | undefined {
  const names = Object.keys(SIZES) as (keyof Sizes)[];
  const { values } = parseArgs({
    args: [...words],
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
      only: { type: 'string', default: [...scenarios.keys()].join(',') },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, quick, help, ...given } = values as typeof values & Readonly<Record<string, string>>;
  if (help) return undefined;
  const chosen = new Set(only.split(','));
  for (const name of chosen)
    if (!scenarios.has(name))
      throw new Error(`--only takes some of ${[...scenarios.keys()].join(',')}, not ${name}`);
  const sizes = names.map((name) => [name, sizeOf(name, given[name], quick)] as const);
  return { sizes: Object.fromEntries(sizes) as Sizes, quick, only: chosen };
}

function sizeOf(name: keyof Sizes, given: string | undefined, quick: boolean): number {
  const [usual, less] = SIZES[name];
  const value = Number(given ?? (quick ? less : usual));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${given}`);
  return value;
}

/** What `--help` prints. */
export function usage(scenarios: ReadonlyMap<string, string>): string {
  const sizes = Object.entries(SIZES).map(
    ([name, [usual, quick, what]]) => `  ${`--${name} N`.padEnd(16)}${what} (${usual}; quick: ${quick})`,
  );
  const parts = [...scenarios].map(([name, what]) => `    ${name.padEnd(12)}${what}`);
  return `npm run bench -- [--quick] [--only NAME,NAME] [--runs N] [sizes]

Measures this program beside rsync, lsyncd, syncthing and unison, with cp and tar as limits, on this machine, over
loopback only.
  ${'--quick'.padEnd(14)}less of all, and only rsync over ssh and the limits beside this program: about seven minutes
${sizes.join('\n')}
  ${'--only A,B'.padEnd(14)}only these:
${parts.join('\n')}
`;
}
