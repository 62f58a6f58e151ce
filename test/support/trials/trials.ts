import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { ScenarioName } from './scenarioNames.ts';

/** `XDS_SCENARIO='files are delivered'` tries one scenario alone. */
const ONLY = process.env['XDS_SCENARIO'];
const PROCESS = path.join(import.meta.dirname, 'trialProcess.ts');

const resultSchema = z.object({
  what: z.string(),
  cuts: z.int().default(0),
  stops: z.int().default(0),
  writes: z.int().default(0),
  failed: z.string().optional(),
});
type Trial = z.infer<typeof resultSchema>;

/** Scenarios that are tried one after the other, in one process beside this one. */
export class Trials {
  readonly done: Trial[] = [];
  readonly #kind: 'cuts' | 'writes';
  readonly #results: ReadonlyMap<string, PromiseWithResolvers<Trial>>;
  #child: ChildProcess | undefined;

  constructor(kind: 'cuts' | 'writes', scenarios: readonly ScenarioName[]) {
    this.#kind = kind;
    const meant = scenarios.filter((what) => ONLY === undefined || ONLY === what);
    this.#results = new Map(meant.map((what) => [what, Promise.withResolvers<Trial>()]));
  }

  /** The result of each scenario, which comes when it has been tried. */
  *results(): Iterable<readonly [what: string, result: Promise<Trial>]> {
    for (const [what, { promise }] of this.#results) yield [what, promise];
  }

  start(): void {
    const args = ['--disable-warning=ExperimentalWarning', PROCESS, this.#kind, ...this.#results.keys()];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const result = resultSchema.parse(JSON.parse(line));
      this.done.push(result);
      this.#results.get(result.what)?.resolve(result);
    });
    child.on('close', (code, signal) => {
      const failed = `the process that tries it ended with ${String(code ?? signal)}`;
      for (const [what, { resolve }] of this.#results)
        resolve({ what, cuts: 0, stops: 0, writes: 0, failed });
    });
  }

  /** Ends the process: all results are here, or the file is being ended. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }

  /** Of all scenarios that were tried. */
  total(what: 'cuts' | 'stops' | 'writes'): number {
    return this.done.reduce((sum, each) => sum + each[what], 0);
  }

  /** True when all scenarios were tried and none failed, so that the totals mean something. */
  get isWhole(): boolean {
    return ONLY === undefined && this.done.every(({ failed }) => failed === undefined);
  }
}
