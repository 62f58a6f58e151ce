import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Cut, Way } from './lineCutter.ts';
import { MemoryPair } from './memoryPair.ts';
import { type Scenario, scenarios, sync } from './scenarios.ts';
import { treeOf } from '../harness/tree.ts';

/** `XDS_CUT='files are delivered'` tries one scenario alone. */
const ONLY = process.env['XDS_CUT'];
const WAYS: readonly Way[] = ['from the MDS', 'from Main'];
const ENDS = ['close', 'reset', 'silence'] as const;
const SOUNDS = '/var/lib/xivo/sounds';

/** Scenarios in which content goes from Main to an MDS; the others go the other way, or are what people ask for. */
export const DELIVERIES: ReadonlySet<string> = new Set([
  'a new MDS gets its first pass',
  'files are delivered',
  'a large file is delivered',
  'a large file changes inside',
  'files are removed',
]);

let cuts = 0;
let stops = 0;

/**
 * For each scenario: ends the line after every message, each way, and each daemon as well; afterwards both sides agree
 * and nothing is left over. Defines its tests.
 */
export function cutEverywhere(isMeant: (scenario: string) => boolean): void {
  after(() => console.log(`${cuts} cuts, and ${stops} daemons ended`));
  for (const [what, scenario] of Object.entries(scenarios)) {
    if (!isMeant(what) || (ONLY !== undefined && ONLY !== what)) continue;
    void describe(`When ${what}`, () => {
      void it('the line may end after every message, each way, and a daemon too: nothing is left over', async () => {
        const pair = await MemoryPair.make();
        await everyCut(pair, what, scenario).catch(async (error: unknown) => {
          // What is stuck may not end either: why it is stuck is what counts.
          await pair.end().catch(() => undefined);
          throw error;
        });
        await pair.end();
      });
    });
  }
}

async function everyCut(pair: MemoryPair, what: string, scenario: Scenario): Promise<void> {
  let round = 0;
  const most: Record<Way, number> = { 'from the MDS': 0, 'from Main': 0 };
  // Twice: what is opened once is open from then on.
  for (let uncut = 0; uncut < 2; uncut++) {
    await tried(pair, what, () => play(pair, scenario, round++));
    for (const way of WAYS) most[way] = Math.max(most[way], pair.lines.counts[way]);
    await tried(pair, what, () => agrees(pair, scenario, round - 1));
  }
  await pair.takesRest();
  for (const way of WAYS) {
    for (let message = 1; message <= most[way]; message++) {
      for (const arrives of [true, false]) {
        for (const cut of ENDS) {
          const when = `${arrives ? 'after' : 'instead of'} message ${message} ${way}`;
          await tried(pair, `${what}: ${cut} ${when}`, async () => {
            cuts += (await playAndCut(pair, scenario, round++, { way, message, cut, arrives })) ? 1 : 0;
            await agrees(pair, scenario, round - 1);
          });
        }
      }
      const side = message % 2 === 0 ? 'main' : 'mds';
      // Where nothing is answered any more, the connection ends later than all the rest.
      for (const isSilent of [false, true]) {
        const when = `after message ${message} ${way}${isSilent ? ', on a line that fell silent' : ''}`;
        await tried(pair, `${what}: SIGTERM of ${side} ${when}`, async () => {
          stops += (await playAndStop(pair, scenario, round++, { way, message, side, isSilent })) ? 1 : 0;
          await agrees(pair, scenario, round - 1);
        });
      }
    }
  }
}

async function play(pair: MemoryPair, scenario: Scenario, round: number): Promise<void> {
  await scenario.prepare?.(pair, round);
  pair.lines.begin();
  await pair.until('what is done', scenario.act(pair, round));
}

type Moment = { readonly way: Way; readonly message: number };

/** @returns whether it came to the cut */
async function playAndCut(
  pair: MemoryPair,
  scenario: Scenario,
  round: number,
  { way, message, cut, arrives = true }: Moment & { readonly cut: Cut; readonly arrives?: boolean },
): Promise<boolean> {
  await scenario.prepare?.(pair, round);
  pair.lines.cutAfter(way, message, cut, arrives);
  const failed = await pair.until(
    'what is done',
    scenario.act(pair, round).then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  pair.lines.forget();
  // What a person asked for may fail when the line is cut, and only then.
  if (failed !== undefined && !pair.lines.hasCut) throw failed;
  return pair.lines.hasCut;
}

/** @returns whether it came to that */
async function playAndStop(
  pair: MemoryPair,
  scenario: Scenario,
  round: number,
  { side, isSilent, ...moment }: Moment & { readonly side: 'main' | 'mds'; readonly isSilent: boolean },
): Promise<boolean> {
  const ended = Promise.withResolvers<void>();
  const stop = (): void => {
    if (isSilent) pair.lines.cutNow('silence');
    pair
      .stop(side)
      .then(() => pair.startAgain())
      .then(ended.resolve, ended.reject);
  };
  const hasStopped = await playAndCut(pair, scenario, round, { ...moment, cut: stop });
  if (hasStopped) await pair.until(`the end of ${side}`, ended.promise);
  return hasStopped;
}

/** Both connect again, a pass ends well, the folders are equal, and nothing is left over. */
async function agrees(pair: MemoryPair, scenario: Scenario, round: number): Promise<void> {
  await pair.connected();
  await scenario.after?.(pair, round);
  assert.deepEqual(await pair.until('the pass after it', sync(pair)), []);
  for (const folder of [SOUNDS, `${SOUNDS}/recordings`]) {
    const trees = (['mds', 'main'] as const).map((side) =>
      treeOf(pair.at(side, folder), { skip: ['recordings'] }),
    );
    assert.deepEqual(trees[0], trees[1]);
  }
  await pair.isAtRest();
}

async function tried(pair: MemoryPair, what: string, work: () => Promise<void>): Promise<void> {
  pair.log.splice(0);
  try {
    await work();
    assert.deepEqual(
      pair.log.filter((line) => / error /.test(line)),
      [],
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error([`${what}: ${message}`, ...pair.log.slice(-30)].join('\n'), { cause: error });
  }
}
