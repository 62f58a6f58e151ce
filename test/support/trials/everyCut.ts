import assert from 'node:assert/strict';
import type { CutPlan, Way } from './lineCutter.ts';
import { MemoryPair } from './memoryPair.ts';
import type { ScenarioName } from './scenarioNames.ts';
import { type Scenario, scenarios, sync } from './scenarios.ts';
import { treeOf } from '../harness/tree.ts';

const WAYS: readonly Way[] = ['from the MDS', 'from Main'];
const SOUNDS = '/var/lib/xivo/sounds';

/** How a line ends at a message. Later ones end while what the message caused is under way. */
const ENDS: readonly Pick<CutPlan, 'cut' | 'arrives' | 'turns'>[] = [
  ...(['close', 'reset', 'silence'] as const).flatMap((cut) => [{ cut }, { cut, arrives: false }]),
  ...(['close', 'reset'] as const).flatMap((cut) => [
    { cut, turns: 2 },
    { cut, turns: 7 },
  ]),
  { cut: 'reset', turns: 4 },
];

/**
 * A message that so many rounds in a row don't have is one that none has, nor any after it: scenarios differ from round
 * to round, and are the same again after two or three.
 */
const IN_VAIN = 3;

export type Tried = { cuts: number; stops: number };

/**
 * Ends the line after every message of a scenario, each way, and each daemon as well; afterwards both sides agree and
 * nothing is left over.
 * @throws an error that names the first cut after which something was wrong
 */
export async function everyCut(what: ScenarioName): Promise<Tried> {
  const scenario = scenarios[what];
  const pair = await MemoryPair.make();
  try {
    const tried = await tryAll(pair, what, scenario);
    await pair.end();
    return tried;
  } catch (error) {
    // What is stuck may not end either: why it is stuck is what counts.
    await pair.end().catch(() => undefined);
    throw error;
  }
}

async function tryAll(pair: MemoryPair, what: string, scenario: Scenario): Promise<Tried> {
  const trial: Trial = { pair, what, scenario, round: 0, done: { cuts: 0, stops: 0 } };
  // Twice: what is opened once is open from then on.
  for (let uncut = 0; uncut < 2; uncut++) {
    await tried(pair, what, () => play(pair, scenario, trial.round));
    await tried(pair, what, () => agrees(pair, scenario, trial.round++));
  }
  await pair.takesRest();
  for (const way of WAYS) for (let message = 1; await isCutAt(trial, { way, message }); message++);
  return trial.done;
}

type Trial = {
  readonly pair: MemoryPair;
  readonly what: string;
  readonly scenario: Scenario;
  readonly done: Tried;
  round: number;
};

/** @returns false when there is no such message */
async function isCutAt(trial: Trial, at: Pick<CutPlan, 'way' | 'message'>): Promise<boolean> {
  const { pair, what, scenario, done } = trial;
  const where = `message ${at.message} ${at.way}`;
  let reached = 0;
  for (const [index, end] of ENDS.entries()) {
    if (index === IN_VAIN && reached === 0) return false;
    await tried(pair, `${what}: ${JSON.stringify(end)} at ${where}`, async () => {
      reached += (await playAndCut(pair, scenario, trial.round, { ...at, ...end })) ? 1 : 0;
      await agrees(pair, scenario, trial.round++);
    });
  }
  done.cuts += reached;
  const side = at.message % 2 === 0 ? 'main' : 'mds';
  // Where nothing is answered any more, the connection ends later than all the rest.
  for (const isSilent of [false, true]) {
    const when = `after ${where}${isSilent ? ', on a line that fell silent' : ''}`;
    await tried(pair, `${what}: SIGTERM of ${side} ${when}`, async () => {
      const isReached = await playAndStop(pair, scenario, trial.round, { ...at, side, isSilent });
      done.stops += isReached ? 1 : 0;
      await agrees(pair, scenario, trial.round++);
    });
  }
  return true;
}

async function play(pair: MemoryPair, scenario: Scenario, round: number): Promise<void> {
  await scenario.prepare?.(pair, round);
  pair.lines.begin();
  await pair.until('what is done', scenario.act(pair, round));
}

/** @returns whether it came to the cut */
async function playAndCut(
  pair: MemoryPair,
  scenario: Scenario,
  round: number,
  plan: CutPlan,
): Promise<boolean> {
  await scenario.prepare?.(pair, round);
  pair.lines.cutAfter(plan);
  const failed = await pair.until(
    'what is done',
    scenario.act(pair, round).then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  pair.lines.forget();
  await pair.untilTrue('the cut', () => !pair.lines.isCutting);
  // What a person asked for may fail when the line is cut, and only then.
  if (failed !== undefined && !pair.lines.hasCut) throw failed;
  return pair.lines.hasCut;
}

type Stop = Pick<CutPlan, 'way' | 'message'> & { readonly side: 'main' | 'mds'; readonly isSilent: boolean };

/** @returns whether it came to that */
async function playAndStop(
  pair: MemoryPair,
  scenario: Scenario,
  round: number,
  { side, isSilent, ...moment }: Stop,
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
