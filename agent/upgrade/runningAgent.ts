import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, closeSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentPlaces } from '#host/config/places.ts';
import { anyAgentContract } from '../control/contract.ts';
import { askDaemon } from '#host/control/controlClient.ts';
import { ownCommand } from './ownCommand.ts';

const UNIT = 'xivo-xds-sync-agent.service';
const LOOK_EVERY = 250;
/** Stop timeout of the unit, milliseconds. */
const STOP_WITHIN = 15_000;

/** Number of restarts by systemd after which the upgrade counts as failed. A single one may be due to an unreachable Main. */
const ENDED_OFTEN = 2;

/** The agent being replaced, and how it is started and stopped on this host. */
export type RunningAgent = {
  stop(): Promise<void>;
  start(): void;
  /** Waits until the agent of this version is connected with Main. @returns why it is not, after that time */
  whyNotBack(version: string, withinMs: number): Promise<string | undefined>;
};

/** As a service. */
export function serviceAgent(places: AgentPlaces): RunningAgent {
  const systemctl = (...words: readonly string[]): void => {
    const { status, stderr } = spawnSync('systemctl', [...words, UNIT], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`"systemctl ${words.join(' ')} ${UNIT}": ${stderr}`);
  };
  const whyGivenUp = (): string | undefined => {
    const shown = spawnSync('systemctl', ['show', '--value', '--property=NRestarts', UNIT], {
      encoding: 'utf8',
    });
    return Number(shown.stdout) >= ENDED_OFTEN ? 'it stops again and again: see its log' : undefined;
  };
  return {
    stop: () => {
      systemctl('stop');
      return Promise.resolve();
    },
    // One that never gets ready must not hold this up.
    start: () => systemctl('start', '--no-block'),
    whyNotBack: (version, withinMs) => waitForIt(places, version, withinMs, whyGivenUp),
  };
}

/** Without systemd: a process, started as mds_install.sh starts it. @param pid of the agent that runs now */
export function processAgent(places: AgentPlaces, pid: number): RunningAgent {
  const args = argumentsOf(pid);
  let running = pid;
  let child: ChildProcess | undefined;
  return {
    stop: async () => {
      if (!isAgent(running)) return;
      process.kill(running, 'SIGTERM');
      const deadline = Date.now() + STOP_WITHIN;
      while (isAgent(running) && Date.now() < deadline) await sleep(LOOK_EVERY);
      if (isAgent(running)) process.kill(running, 'SIGKILL');
    },
    start: () => {
      const [program, ...before] = ownCommand();
      const folder = path.dirname(places.pidFile);
      mkdirSync(folder, { recursive: true });
      const output = openSync(path.join(folder, 'agent.out'), 'a');
      child = spawn(program, [...before, ...args], { stdio: ['ignore', output, output], detached: true });
      closeSync(output);
      child.on('error', () => undefined);
      child.unref();
      running = child.pid ?? 0;
      writeFileSync(places.pidFile, `${running}\n`);
    },
    whyNotBack: (version, withinMs) =>
      waitForIt(places, version, withinMs, () =>
        child !== undefined && hasEnded(child)
          ? `it ended (${child.exitCode ?? child.signalCode}): see ${path.join(path.dirname(places.pidFile), 'agent.out')}`
          : undefined,
      ),
  };
}

/** The arguments of a running agent. @throws when the process is not a running agent */
function argumentsOf(pid: number): string[] {
  const [, ...words] = commandLine(pid);
  const at = words.findIndex((word) => !word.startsWith('-'));
  if (!isAgent(pid)) throw new Error(`process ${pid} is not a running agent`);
  return words.slice(at + 1);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function isAgent(pid: number): boolean {
  return commandLine(pid).includes('run');
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    // It has ended.
    return [];
  }
}

async function waitForIt(
  places: AgentPlaces,
  version: string,
  withinMs: number,
  whyGivenUp: () => string | undefined,
): Promise<string | undefined> {
  const deadline = Date.now() + withinMs;
  let last = 'it did not start';
  while (Date.now() < deadline) {
    await sleep(LOOK_EVERY);
    const ended = whyGivenUp();
    if (ended !== undefined) return ended;
    if (!existsSync(places.controlSocket)) continue;
    try {
      const { version: runs, link } = await askDaemon(
        { socketPath: places.controlSocket, name: 'agent', howToStart: '' },
        anyAgentContract,
        'status',
        {},
      );
      if (link.state === 'connected' && runs === version) return undefined;
      last =
        runs === version
          ? `it is not connected to Main (${link.problem ?? link.state})`
          : `${runs ?? 'another version'} runs`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
  }
  return `it is not back within ${withinMs / 1000} s: ${last}`;
}
