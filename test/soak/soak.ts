import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Books } from './books.ts';
import { contentsFound, differences, disturbed, statusFaults } from './checks.ts';
import { Observer } from './observer.ts';
import { type Operation, planRound, type RoundPlan } from './operation.ts';
import { Random } from './random.ts';
import { heldOpen } from '../support/harness/heldOpen.ts';
import { eventually } from '../support/harness/host.ts';
import { isDeed, Users } from './users.ts';
import { World } from './world.ts';

export type SoakOptions = {
  readonly seed: number;
  /** Ends with the first round after so many milliseconds, when the kills and cuts are done. */
  readonly length: number;
  readonly kills: number;
  readonly cuts: number;
  readonly killsPerRound: number;
  readonly loopback: boolean;
  /** Leaves the folder of the hosts, their logs and the log of operations when all is well, too. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
};

export type SoakReport = {
  readonly network: string;
  readonly rounds: number;
  readonly operations: number;
  readonly contents: number;
  readonly looked: number;
  readonly kills: number;
  readonly terminations: number;
  readonly cuts: number;
  readonly slow: number;
  readonly slowestQuiet: number;
};

/** Something that must never happen did; the folder of the hosts is kept to look into. */
export class SoakFailure extends Error {}

const MINUTE = 60_000;
const ROUND_LENGTH = 6_000;
const DEEDS_PER_ROUND = 60;
/** How long hosts may take to agree once everything is healed, milliseconds. */
const QUIET_LIMIT = 180_000;
/** A wait this long is worth a line in the log, milliseconds. */
const LONG_WAIT = 8_000;
const MAX_SHOWN = 20;

/**
 * A real Main and three real MDS under random deeds and faults, and at the end of each round a quiet point where
 * every invariant is checked. The seed determines the operations, their order and the waits between them; when
 * the processes run is the machine's affair.
 *
 * @throws SoakFailure with the seed, what is wrong and where the log of operations lies
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const names = ['mds1', 'mds2', 'mds3'];
  const world = await World.start(names, options.loopback);
  const log = path.join(world.folder, 'operations.log');
  writeFileSync(log, `seed ${options.seed}\n`);
  const books = new Books();
  const users = new Users(world.hosts, options.seed, books);
  const observer = new Observer([...world.hosts.values()], books);
  const random = new Random(options.seed);
  const descriptors = new Map<string, number>();
  const startedAt = performance.now();
  let rounds = 0;
  let operations = 0;
  let slowestQuiet = 0;
  let failed = true;
  const note = (line: string): void => appendFileSync(log, `${new Date().toISOString()} ${line}\n`);
  options.say(`seed ${options.seed}; ${world.network.kind}; in ${world.folder}`);
  observer.start();
  try {
    await quietPoint({ world, users, books, observer, descriptors, note });
    while (!isEnough(options, world, performance.now() - startedAt)) {
      const plan = roundPlan(options, [...world.hosts.keys()], rounds);
      const round = planRound(random, plan, operations);
      for (const operation of round) {
        await sleep(operation.wait);
        note(`${operation.number} ${JSON.stringify(operation.what)}: ${carryOut(operation, world, users)}`);
      }
      operations += round.length;
      rounds += 1;
      await users.rest();
      await world.heal();
      note('quiet point');
      const took = await quietPoint({ world, users, books, observer, descriptors, note });
      slowestQuiet = Math.max(slowestQuiet, took);
      note(`quiet after ${took} ms`);
      const { kills, cuts } = world.counts;
      options.say(
        `round ${rounds}: quiet after ${took} ms; ${operations} operations, ${kills} kills, ${cuts} cuts, ${books.size} contents, ${observer.looked} looks`,
      );
    }
    await verifyAsAPersonWould(world);
    await Promise.allSettled([...world.hosts.values()].map((host) => host.stop()));
    fail('a daemon did not end well', world.faults);
    failed = false;
    return {
      network: world.network.kind,
      rounds,
      operations,
      contents: books.size,
      looked: observer.looked,
      ...world.counts,
      slowestQuiet,
    };
  } catch (error) {
    const passed = performance.now() - startedAt;
    const why = error instanceof Error ? error.message : String(error);
    note(`FAILED: ${why}`);
    throw new SoakFailure(
      `seed ${options.seed}, round ${rounds + 1}: ${why}\n` +
        `operations: ${log}; hosts and their logs: ${world.folder}\n` +
        `again: npm run soak -- --seed ${options.seed} --kills-per-round ${options.killsPerRound} --minutes ${Math.ceil(passed / MINUTE)}`,
      { cause: error },
    );
  } finally {
    observer.stop();
    await world.end(failed || options.keep);
  }
}

function isEnough({ length, kills, cuts }: SoakOptions, { counts }: World, passed: number): boolean {
  return passed >= length && counts.kills >= kills && counts.cuts >= cuts;
}

/** Depends on nothing but the options: what has happened by now is the machine's affair. */
function roundPlan({ killsPerRound }: SoakOptions, hosts: readonly string[], round: number): RoundPlan {
  return {
    hosts,
    round,
    deeds: DEEDS_PER_ROUND,
    kills: killsPerRound,
    cuts: killsPerRound,
    length: ROUND_LENGTH,
  };
}

function carryOut({ what, number }: Operation, world: World, users: Users): string {
  if (isDeed(what)) return users.carryOut(what, number);
  world.befall(what);
  return 'started';
}

type Checked = {
  readonly world: World;
  readonly users: Users;
  readonly books: Books;
  readonly observer: Observer;
  readonly descriptors: Map<string, number>;
  readonly note: (line: string) => void;
};

/** Waits until all hosts agree, and checks everything. @returns how long agreeing took, milliseconds */
async function quietPoint({ world, users, books, observer, descriptors, note }: Checked): Promise<number> {
  const startedAt = performance.now();
  let lastShown = startedAt;
  for (;;) {
    fail('a daemon went wrong', world.faults);
    const status = await world.status().catch(() => undefined);
    const inSync =
      status !== undefined && status.mds.length === world.mds.length && status.mds.every((mds) => mds.inSync);
    // What a host has only just seen, such as a local file, is in its next report.
    const different = inSync ? [...differences(world, users), ...statusFaults(world, status)] : [];
    if (inSync && different.length === 0) break;
    const seen = inSync ? different : [JSON.stringify(status?.mds)];
    if (performance.now() - lastShown > LONG_WAIT) {
      lastShown = performance.now();
      note(`still waiting:\n${shown(seen)}`);
    }
    if (performance.now() - startedAt > QUIET_LIMIT) {
      throw new SoakFailure(`hosts do not agree within ${QUIET_LIMIT} ms:\n${shown(seen)}`);
    }
    await sleep(100);
  }
  const took = Math.round(performance.now() - startedAt);
  fail('overrides or local files were touched', disturbed(world, users));
  fail('something half-written was visible', observer.faults);
  let { found, staged } = contentsFound(world);
  await eventually('nothing is staged', () => {
    ({ found, staged } = contentsFound(world));
    return staged.length === 0;
  }).catch(() => fail('staged files are left', staged));
  fail('content was lost', books.lost(found));
  await eventually(
    'no daemon holds open what it no longer needs',
    () => heldOpen(world.hosts.values(), descriptors).length === 0,
  ).catch(() => fail('files are left open', heldOpen(world.hosts.values(), descriptors)));
  const wrong = (await world.verify()).filter(({ ok }) => !ok);
  fail(
    'verify found differences',
    wrong.map((host) => JSON.stringify(host)),
  );
  const toDo = (await world.plan()).filter(({ actions }) => actions.some(({ action }) => action !== 'skip'));
  fail(
    'a second plan is not empty',
    toDo.map((pass) => JSON.stringify(pass)),
  );
  fail('hosts differ after verify', differences(world, users));
  fail('a daemon went wrong', world.faults);
  books.restart(found);
  return took;
}

async function verifyAsAPersonWould({ main }: World): Promise<void> {
  const { code, stdout, stderr } = await main.run(['verify']);
  if (code !== 0) throw new SoakFailure(`xivo-xds-sync verify ended with ${code}:\n${stdout}${stderr}`);
}

function fail(what: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new SoakFailure(`${what}:\n${shown(faults)}`);
}

function shown(lines: readonly string[]): string {
  const more = lines.length > MAX_SHOWN ? `\n  and ${lines.length - MAX_SHOWN} more` : '';
  return `  ${lines.slice(0, MAX_SHOWN).join('\n  ')}${more}`;
}
