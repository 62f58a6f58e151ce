import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Way } from './lineCutter.ts';
import { MemoryPair } from './memoryPair.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { WrittenScenario } from './scenarioNames.ts';
import { treeOf } from '../harness/tree.ts';

const WAYS = ['from the MDS', 'from Main'] as const satisfies readonly Way[];
const SIDES = ['main', 'mds'] as const;
const SOUNDS = '/var/lib/xivo/sounds';
const RECORDINGS = `${SOUNDS}/recordings`;
const CONTENT = ['renamed over it', 'in place'] as const;
// Content counts most.
const HOWS = [...CONTENT, ...CONTENT, 'only its mode', 'removed'] as const;
const TURNS = [0, 1, 2, 3, 5, 8, 13, 21] as const;
/** In each scenario. */
const WRITES = 40;

/** The file that each scenario is about. */
const FILES: Readonly<Record<WrittenScenario, string>> = {
  'files are delivered': `${SOUNDS}/text.txt`,
  'a large file is delivered': `${SOUNDS}/large.wav`,
  'a large file changes inside': `${SOUNDS}/delta.wav`,
  'a small recording is uploaded': `${RECORDINGS}/small.wav`,
  'a large recording is uploaded': `${RECORDINGS}/large.wav`,
  'files are removed': `${RECORDINGS}/gone.wav`,
  'a recording changes on both sides': `${RECORDINGS}/both.wav`,
  'only the mode of recordings changes': `${RECORDINGS}/mode.wav`,
  'a change set is rolled back': `${SOUNDS}/back.txt`,
  'a file of an MDS is restored from its trash': `${RECORDINGS}/found.wav`,
};

/** How much newer the version is that is written meanwhile. */
const SECONDS_LATER = 10;
/** What is not noticed by then was never to be, since it changed nothing; real milliseconds. */
const NOTICED_WITHIN = 60;

/** A person asks for an older version, which may well replace what was written. */
const BY_A_PERSON: ReadonlySet<WrittenScenario> = new Set([
  'a change set is rolled back',
  'a file of an MDS is restored from its trash',
]);

type Side = (typeof SIDES)[number];
type Choice = {
  readonly way: Way;
  /** Counted from 1, of those that go this way. */
  readonly message: number;
  readonly side: Side;
  readonly how: (typeof HOWS)[number];
  /** Turns of the event loop from the message to the write: what the message caused is at another step each time. */
  readonly turns: number;
  /** The messages that follow wait until the host has read what was written. */
  readonly isNoticed: boolean;
};
type Write = Choice & {
  readonly file: string;
  readonly round: number;
};

/**
 * Another program changes the file that a scenario is about, after some message, on one of the sides. What it wrote is
 * live or in a trash afterwards, and both sides agree without any further pass: a change that is taken for the program's
 * own would never be noticed.
 * @returns how often it wrote
 * @throws an error that names the first write after which something was wrong
 */
export async function everyWrite(what: WrittenScenario): Promise<number> {
  const scenario: Scenario = scenarios[what];
  const file = FILES[what];
  const pair = await MemoryPair.make();
  let writes = 0;
  let round = 0;
  try {
    const most = await messagesOf(pair, scenario, round++);
    for (; round <= WRITES; round++) {
      const write = { ...choice(what, round, most), file, round };
      if (await writtenMeanwhile(pair, scenario, write, what)) writes += 1;
    }
    await pair.end();
    return writes;
  } catch (error) {
    await pair.end().catch(() => undefined);
    throw error;
  }
}

/** By chance, and the same each time. */
function choice(what: string, round: number, most: Record<Way, number>): Choice {
  const random = createHash('sha256').update(`${what} ${round}`).digest();
  const pick = <T>(at: number, from: readonly [T, ...T[]]): T =>
    from[random.readUInt8(at) % from.length] ?? from[0];
  const way = pick(4, WAYS);
  return {
    way,
    message: 1 + (random.readUInt8(5) % Math.max(1, most[way])),
    side: pick(0, SIDES),
    how: pick(1, HOWS),
    turns: pick(2, TURNS),
    isNoticed: pick(3, [true, true, true, false]),
  };
}

async function messagesOf(pair: MemoryPair, scenario: Scenario, round: number): Promise<Record<Way, number>> {
  await scenario.prepare?.(pair, round);
  pair.lines.begin();
  await pair.until('what is done', scenario.act(pair, round));
  return { ...pair.lines.counts };
}

async function writtenMeanwhile(
  pair: MemoryPair,
  scenario: Scenario,
  write: Write,
  what: WrittenScenario,
): Promise<boolean> {
  pair.log.splice(0);
  try {
    await scenario.prepare?.(pair, write.round);
    let written: Buffer | undefined;
    // In the same set as the file, so that there is something to wait for.
    for (const side of SIDES) writeBeside(pair, side, write);
    let noticed: Promise<void> | undefined;
    pair.lines.cutAfter({
      way: write.way,
      message: write.message,
      turns: write.turns,
      cut: () => {
        const before = stampOf(pair, write);
        written = carryOut(pair, write);
        if (write.isNoticed) noticed = pair.lines.holdBack(isNoticedFrom(pair, write, before));
      },
    });
    // It may fail, or find more to do, since another program is at work.
    await pair.until(
      'what is done',
      scenario.act(pair, write.round).catch(() => undefined),
    );
    pair.lines.forget();
    await pair.untilTrue('the write', () => !pair.lines.isCutting);
    await noticed;
    await agreesByItself(pair);
    if (written !== undefined) {
      assert.ok(isKept(pair, written), 'what was written is nowhere');
      const isMains = !write.file.startsWith(RECORDINGS);
      if (!BY_A_PERSON.has(what) && !(isMains && write.side === 'mds'))
        assert.ok(
          readFileSync(pair.at('main', write.file)).equals(written),
          'what was written last did not win',
        );
    }
    assert.deepEqual(
      pair.log.filter((line) => / error /.test(line) && !line.includes('it changed meanwhile')),
      [],
    );
    return pair.lines.hasCut;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error([`${what}: ${JSON.stringify(write)}: ${message}`, ...pair.log.slice(-30)].join('\n'), {
      cause: error,
    });
  }
}

/** @returns the content that must not be lost; undefined when there is none */
function carryOut(pair: MemoryPair, { side, file, how, round }: Write): Buffer | undefined {
  const target = pair.at(side, file);
  const content = Buffer.from(`written on ${side} in round ${round}\n`.repeat(3 + (round % 5)));
  if (how === 'removed') rmSync(target, { force: true });
  else if (how === 'only its mode') {
    try {
      chmodSync(target, round % 2 === 0 ? 0o600 : 0o640);
    } catch {
      // It is not there at this moment.
    }
  } else {
    mkdirSync(path.dirname(target), { recursive: true });
    const first = how === 'in place' ? target : pair.at(side, '/written-beside');
    writeFileSync(first, content);
    // The newest version wins, and a host's clock is known to some milliseconds only.
    const later = Date.now() / 1000 + SECONDS_LATER;
    utimesSync(first, later, later);
    if (first !== target) renameSync(first, target);
    return content;
  }
  return undefined;
}

function writeBeside(pair: MemoryPair, side: Side, { round }: Write): void {
  const folder = pair.at(side, RECORDINGS);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `beside-${side}.wav`), `beside it on ${side} in round ${round}`);
  if (side === 'main') writeFileSync(pair.at(side, `${SOUNDS}/beside.wav`), `beside it in round ${round}`);
}

function replicaPath(file: string): { directory: string; inside: string } {
  return file.startsWith(RECORDINGS)
    ? { directory: 'recordings', inside: file.slice(RECORDINGS.length + 1) }
    : { directory: 'sounds', inside: file.slice(SOUNDS.length + 1) };
}

function stampOf(pair: MemoryPair, { side, file }: Write): string | undefined {
  const { directory, inside } = replicaPath(file);
  return pair.replica(side, directory)?.stampAt(inside);
}

/** Its host has read what was written: a change set that is under way must not go on as if it had been there before. */
async function isNoticedFrom(pair: MemoryPair, write: Write, before: string | undefined): Promise<void> {
  const { directory, inside } = replicaPath(write.file);
  const late = performance.now() + NOTICED_WITHIN;
  const isNoticed = (): boolean =>
    stampOf(pair, write) !== before && pair.replica(write.side, directory)?.get(inside)?.kind !== 'moving';
  while (!isNoticed() && performance.now() < late) await turn();
}

/** Both sides hold the same in the end, and only the watch on the folders makes them. */
async function agreesByItself(pair: MemoryPair): Promise<void> {
  for (let tries = 0; ; tries++) {
    await pair.connected();
    const differing = differences(pair);
    if (differing.length === 0) return;
    assert.ok(tries < 200, `the two sides stay different:\n${differing.join('\n')}`);
    await pair.pass(100);
  }
}

function differences(pair: MemoryPair): string[] {
  return [SOUNDS, RECORDINGS].flatMap((folder) => {
    const [main, mds] = SIDES.map((side) => treeOf(pair.at(side, folder), { skip: ['recordings'] }));
    const onlyOn = (side: Side, here: string[] = [], there: string[] = []): string[] =>
      here.filter((line) => !there.includes(line)).map((line) => `${side}: ${line}`);
    return [...onlyOn('main', main, mds), ...onlyOn('mds', mds, main)];
  });
}

/** Live or in a trash, on either side. */
function isKept(pair: MemoryPair, content: Buffer): boolean {
  return SIDES.some((side) =>
    readdirSync(pair.at(side, SOUNDS), { recursive: true, withFileTypes: true }).some(
      (each) => each.isFile() && readFileSync(path.join(each.parentPath, each.name)).equals(content),
    ),
  );
}
