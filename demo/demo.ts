import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from '#host/control/controlClient.ts';
import { contextOf } from '../controller/cli/context.ts';
import { contractOf } from '../controller/control/contract/contractOf.ts';
import { freePort } from '../test/support/harness/freePort.ts';
import { AsteriskInstance } from '../test/lab/asterisk/instance.ts';
import { cachedAsterisk } from '../test/lab/asterisk/root.ts';
import { DIRECTORIES, fillMain, fillMds, makeDirectories } from './content.ts';
import { CHECKOUT, command, Daemons, type Program, statusText } from './programs.ts';
import { watch } from './watch.ts';
import { toneWav } from './wav.ts';

/**
 * `npm run demo`: a Main and two MDS on this machine, each in a folder of its own below .demo, set up by the
 * commands an administrator uses. On a terminal it shows `status --watch` until Ctrl-C; else, or with `--once`,
 * it makes one change each way, says how long it took, and ends.
 */

const MDS = ['mds1', 'mds2'] as const;
const PATIENCE = 60_000;

const folder = path.resolve(process.env['XDS_DEMO_DIR'] ?? path.join(CHECKOUT, '.demo'));
const main = path.join(folder, 'main');
const once = process.argv.includes('--once') || !process.stdout.isTTY;
const daemons = new Daemons();
const asterisks: AsteriskInstance[] = [];
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());

try {
  startOver();
  await setUp();
  if (once) await showOnce();
  else await watch(main, hints(), stop.signal);
} catch (error) {
  // A command that Ctrl-C ended, too, fails before this program hears of the signal.
  await sleep(0);
  if (!stop.signal.aborted) throw error;
} finally {
  await daemons.end();
  await Promise.all(asterisks.map((asterisk) => asterisk.stop()));
  rmSync(pidFile(), { force: true });
  console.log(`\nEverything that the demo started has ended. What it made is in ${folder}.`);
}

function pidFile(): string {
  return path.join(folder, 'demo.pid');
}

function startOver(): void {
  if (existsSync(pidFile()) && existsSync(`/proc/${readFileSync(pidFile(), 'utf8')}`)) {
    console.error(`A demo runs in ${folder} already.`);
    process.exit(1);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(pidFile(), String(process.pid));
}

async function setUp(): Promise<void> {
  makeDirectories(main);
  console.log(`Main gets ${fillMain(main)}.\n`);
  const address = `127.0.0.1:${await freePort()}`;
  await step('xivo-xds-sync', ['--root', main, '-i', '--no-service', '--listen', address]);
  daemons.start('xivo-xds-sync', ['--root', main, '--log', 'stderr', 'serve'], path.join(folder, 'main.log'));
  await until('Main answers', () => existsSync(path.join(main, 'run/xivo-xds-sync/controller.sock')));
  for (const name of MDS) await startMds(name, address);
  await until('both MDS are in sync', bothInSync);
}

/** Runs a command. @throws also when Ctrl-C came meanwhile, of which this program hears only after the command */
async function step(program: Program, args: readonly string[], input?: string): Promise<string> {
  const said = command(program, args, input);
  await sleep(0);
  stop.signal.throwIfAborted();
  return said;
}

async function startMds(name: string, address: string): Promise<void> {
  const root = path.join(folder, name);
  makeDirectories(root);
  fillMds(root, name);
  const token = await step('xivo-xds-sync', ['--root', main, 'mds', 'add', name]);
  const enroll = ['--root', root, 'enroll', '--main', address, '--token-file', '-'];
  await step('xivo-xds-sync-agent', enroll, token);
  appendFileSync(
    path.join(root, 'etc/xivo-xds-sync/agent.yml'),
    `\nasterisk: ${JSON.stringify(await asteriskOf(name, root))}\n`,
  );
  daemons.start(
    'xivo-xds-sync-agent',
    ['--root', root, '--log', 'stderr', 'run'],
    path.join(folder, `${name}.log`),
  );
}

/** A real Asterisk over the MDS's own directories, where the tests have fetched one; else a script in its place. */
async function asteriskOf(name: string, root: string): Promise<string> {
  const found = cachedAsterisk();
  if (found.missing !== undefined) return standIn(root);
  const home = path.join(folder, `${name}-asterisk`);
  mkdirSync(home);
  // An Asterisk that finds no music when it starts does not know the class, whatever comes later.
  const music = path.join(root + DIRECTORIES.moh, 'default');
  mkdirSync(music, { recursive: true });
  writeFileSync(path.join(music, 'as-installed.wav'), toneWav(440, 1));
  try {
    const asterisk = await AsteriskInstance.create(found.folder, home, {
      dialplan: root + DIRECTORIES.dialplan,
      moh: music,
    });
    asterisks.push(asterisk);
    return asterisk.command;
  } catch (error) {
    console.log(
      `${name} goes without a real Asterisk: ${error instanceof Error ? error.message : String(error)}`,
    );
    return standIn(root);
  }
}

/** In Asterisk's place: a script that writes down what it was asked. */
function standIn(root: string): string {
  const script = path.join(root, 'asterisk');
  writeFileSync(script, `#!/bin/sh\necho "$(date +%T) $*" >> '${root}/asterisk.calls'\n`);
  chmodSync(script, 0o755);
  return script;
}

/** Asks Main's daemon itself, which may not answer yet: a command started again and again would slow it down. */
async function bothInSync(): Promise<boolean> {
  const socketPath = contextOf({ root: main }).places.controlSocket;
  const daemon = { socketPath, name: 'controller', howToStart: '' };
  const status = await askDaemon(daemon, await contractOf.status(), 'status', {}).catch(() => undefined);
  return status?.mds.length === MDS.length && status.mds.every(({ inSync }) => inSync);
}

/** One change each way, timed, and the status at the end. */
async function showOnce(): Promise<void> {
  console.log(`\n${statusText(main)}`);
  const hold = toneWav(523, 3);
  await timed('music on hold put on Main', 'moh', 'default/new.wav', hold, main, ['mds1', 'mds2']);
  await timed('a recording made on mds1', 'recordings', '100-1.wav', hold, path.join(folder, 'mds1'), [
    'main',
    'mds2',
  ]);
  await until('both MDS are in sync', bothInSync);
  console.log(`\n${statusText(main)}`);
}

async function timed(
  what: string,
  directory: keyof typeof DIRECTORIES,
  file: string,
  content: Buffer,
  from: string,
  to: readonly string[],
): Promise<void> {
  const lies = path.join(DIRECTORIES[directory], file);
  // Written beside and renamed, so that the clock starts when the file is whole.
  writeFileSync(path.join(folder, 'new'), content);
  renameSync(path.join(folder, 'new'), from + lies);
  const start = performance.now();
  await until(`${lies} is on ${to.join(' and ')}`, () =>
    to.every((host) => existsSync(path.join(folder, host) + lies)),
  );
  console.log(`${what} was on ${to.join(' and ')} after ${Math.round(performance.now() - start)} ms`);
}

function hints(): string[] {
  const shown = path.relative(process.cwd(), folder) || '.';
  const at = (host: string, directory: keyof typeof DIRECTORIES): string =>
    `${shown}/${host}${DIRECTORIES[directory]}`;
  return [
    'A Main and two MDS. In another terminal, change something and look here:',
    `  dialplan, Main to MDS   ${at('main', 'dialplan')}   (${asteriskHint(shown)})`,
    `  music, Main to MDS      ${at('main', 'moh')}`,
    `  recordings, both ways   ${at('mds1', 'recordings')}`,
    `  logs                    ${shown}/main.log ${shown}/mds1.log ${shown}/mds2.log`,
    `Commands: ./bin/xivo-xds-sync --root ${shown}/main sync   (or -n, history, why PATH)`,
    'Ctrl-C ends it all.',
  ];
}

function asteriskHint(shown: string): string {
  if (asterisks.length === 0) return `what "Asterisk" was asked: ${shown}/mds1/asterisk.calls`;
  return `${shown}/mds1-asterisk/asterisk -rx 'dialplan show'`;
}

/** @param limit milliseconds @throws naming `what` when it does not come, or a program has ended */
async function until(what: string, holds: () => boolean | Promise<boolean>, limit = PATIENCE): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await holds())) {
    stop.signal.throwIfAborted();
    daemons.check();
    if (performance.now() > deadline)
      throw new Error(`not within ${limit / 1000} s: ${what}. See ${folder}/*.log`);
    await sleep(20);
  }
}
