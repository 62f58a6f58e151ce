import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type ControllerCommand,
  controllerContract,
  type ControllerContract,
  type HostVerification,
  type MdsPass,
  type Result,
  type Status,
} from '../../controller/control/contract/contract.ts';
import type { ArgsIn } from '#host/control/contract.ts';
import { askDaemon } from '#host/control/controlClient.ts';
import { troubleIn } from '../support/harness/daemonProcess.ts';
import { DIRECTORIES, eventually, FakeAsterisk, Host } from '../support/harness/host.ts';
import { freePort } from '../support/harness/freePort.ts';
import { controlSocketOf, hangUp } from '../support/wire/hangUp.ts';
import { loopback, namespaces, type Network } from './network.ts';
import type { Fault } from './operation.ts';

const run = promisify(execFile);
const AGENT = path.resolve(import.meta.dirname, '../../bin/xivo-xds-sync-agent');

/**
 * Short settle times, and no guard: random removals are many, and the guard has tests of its own. No lint: links and
 * renames define extensions twice, which it rightly keeps out until a person corrects it.
 */
const CONFIGURATION = `settle: 100ms
directories:
  - { name: dialplan, lint: off }
  - { name: moh }
  - { name: sounds }
  - { name: recordings, settle: 250ms }
guard: { percent: 100, files: 1000000 }
`;

/** What callers ask that hang up: short and long answers, half a request, and nonsense. */
const REQUESTS = [
  '{"command":"history","args":{"limit":100000}}\n',
  '{"command":"status","args":{}}\n',
  '{"command":"sta',
  '\u0000\n',
];

/** A real Main and real MDS, each a process with a folder of its own, and the network between them. */
export class World {
  readonly folder: string;
  readonly network: Network;
  readonly main: Host;
  readonly mds: readonly Host[];
  readonly hosts: ReadonlyMap<string, Host>;
  counts = { kills: 0, terminations: 0, cuts: 0, slow: 0, freezes: 0, commands: 0 };
  readonly #pending = new Set<Promise<void>>();
  readonly #faults: string[] = [];
  readonly #cut = new Map<string, number>();
  readonly #turns = new Map<string, Promise<void>>();
  /** When each host's daemon was last started, milliseconds since 1970. */
  readonly #launchedAt = new Map<string, number>();

  private constructor(folder: string, network: Network, names: readonly string[]) {
    this.folder = folder;
    this.network = network;
    this.main = new Host(folder, 'main', 'xivo-xds-sync');
    this.mds = names.map((name) => new Host(folder, name, 'xivo-xds-sync-agent'));
    this.hosts = new Map([this.main, ...this.mds].map((host) => [host.name, host]));
  }

  /** Makes it, starts it and waits until all are in sync. */
  static async start(names: readonly string[], onLoopback: boolean): Promise<World> {
    const folder = mkdtempSync(path.join(process.env['XDS_TEST_DIR'] ?? os.tmpdir(), 'xds-soak-'));
    const world = new World(folder, await makeNetwork(names, onLoopback), names);
    try {
      await world.#begin();
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  host(name: string): Host {
    const found = this.hosts.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  /** Lets a fault happen; it is over by itself after its time. */
  befall(fault: Fault): void {
    const work = this.#suffer(fault)
      .catch((error: unknown) => void this.#faults.push(String(error)))
      .finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** What no daemon may do: end by itself, not end when it is to, or log a stack. */
  get faults(): string[] {
    return [...this.#faults, ...[...this.hosts.values()].flatMap((host) => host.faults)];
  }

  /** Every fault is over, every daemon runs. */
  async heal(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    for (const host of this.hosts.values()) if (!host.isRunning) this.#launch(host);
  }

  async ask<N extends ControllerCommand>(
    command: N,
    args: ArgsIn<ControllerContract, N>,
  ): Promise<Result<N>> {
    const daemon = { socketPath: controlSocketOf(this.main), name: 'controller', howToStart: '' };
    return askDaemon(daemon, controllerContract, command, args) as Promise<Result<N>>;
  }

  async status(): Promise<Status> {
    return await this.ask('status', {});
  }

  async plan(): Promise<readonly MdsPass[]> {
    return (await this.ask('plan', {})).mds;
  }

  async verify(): Promise<readonly HostVerification[]> {
    const { main, mds } = await this.ask('verify', {});
    return [main, ...mds];
  }

  /** Ends everything. @param keep leaves the folder, to look into */
  async end(keep = false): Promise<void> {
    await Promise.allSettled(this.#pending);
    await Promise.all([...this.hosts.values()].map((host) => host.kill()));
    await this.network.end();
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    const { main, network } = this;
    await main.ok(['init', '--no-service', '--listen', network.listen]);
    writeFileSync(
      path.join(main.root, 'etc/xivo-xds-sync/controller.yml'),
      `listen: "${network.listen}"\n${CONFIGURATION}`,
    );
    // A directory that became empty is held; these files are never touched.
    for (const directory of Object.keys(DIRECTORIES) as (keyof typeof DIRECTORIES)[])
      main.write(directory, 'always.conf', `[always-${directory}]\nexten = 201,1,NoOp()\n`);
    this.#launch(main);
    await eventually('Main has started', () => main.log.includes('controller started'));
    for (const mds of this.mds) {
      await this.#enrol(mds);
      this.#launch(mds);
    }
  }

  async #enrol(mds: Host): Promise<void> {
    const token = path.join(this.folder, 'token');
    writeFileSync(token, await this.main.ok(['mds', 'add', mds.name]), { mode: 0o600 });
    const words = [
      ...this.network.before(mds.name),
      ...[AGENT, '--root', mds.root, 'enroll', '--token-file', token],
      ...['--main', this.network.mainFrom(mds.name)],
    ];
    await run(words[0] ?? '', words.slice(1));
    const file = path.join(mds.root, 'etc/xivo-xds-sync/agent.yml');
    mkdirSync(path.dirname(file), { recursive: true });
    const { script } = new FakeAsterisk(mds);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nasterisk: "${script}"\n`);
  }

  #launch(host: Host): void {
    this.#launchedAt.set(host.name, Date.now());
    host.start(this.network.before(host.name));
  }

  async #suffer(fault: Fault): Promise<void> {
    if (fault.do === 'command') return this.#type(fault);
    const { host: name } = fault;
    switch (fault.do) {
      case 'kill':
      case 'terminate': {
        return this.#inTurn(name, () => this.#end(fault.do === 'kill', name, fault.away));
      }
      case 'cut': {
        this.counts.cuts += 1;
        this.#cutOnce(name, 1);
        await sleep(fault.lasts);
        this.#cutOnce(name, -1);
        return;
      }
      case 'slow': {
        this.counts.slow += 1;
        this.network.slow(name, true);
        await sleep(fault.lasts);
        this.network.slow(name, false);
        return;
      }
      case 'reset':
      case 'corrupt':
        this.counts.cuts += 1;
        return this.network.order(name, { do: fault.do });
      case 'reset-upload':
        this.counts.cuts += 1;
        return this.network.order(name, { do: fault.do, after: fault.after });
      case 'throttle': {
        this.counts.cuts += 1;
        this.network.weather(name, { rate: fault.rate });
        await sleep(fault.lasts);
        return this.network.weather(name, { rate: 0 });
      }
      case 'hang-up':
        return this.#hangUp(this.host(name), fault.callers);
      case 'freeze': {
        this.counts.freezes += 1;
        return this.#inTurn(name, () => this.#freeze(this.host(name), fault.lasts));
      }
    }
  }

  /** One end of a host at a time: a kill while it is just stopping is no fault of the program's. */
  #inTurn(name: string, suffer: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(suffer);
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #freeze(host: Host, lasts: number): Promise<void> {
    if (!host.isRunning) return;
    host.signalOnly('SIGSTOP');
    await sleep(lasts);
    host.signalOnly('SIGCONT');
  }

  /** A command that is ended early ends nothing else; one that ends before that may say what it likes. */
  async #type({ words, lasts, by }: Extract<Fault, { do: 'command' }>): Promise<void> {
    this.counts.commands += 1;
    const { ended, child } = this.main.typed(words);
    const stop = setTimeout(() => child.kill(by), lasts);
    const trouble = troubleIn(await ended);
    clearTimeout(stop);
    if (trouble.length > 0)
      this.#faults.push(`"${words.join(' ')}" shows a stack to a person: ${trouble.join('\n')}`);
  }

  /** Callers that don't wait for the whole answer end nothing. A daemon that was just ended has no socket, or breaks off. */
  async #hangUp(host: Host, callers: number): Promise<void> {
    for (let i = 0; i < callers && host.isRunning; i++) {
      const request = REQUESTS[i % REQUESTS.length] ?? '';
      const isWhole = request.endsWith('\n');
      await hangUp(controlSocketOf(host), request, isWhole && i % 3 === 0 ? 'answered' : i).catch(
        () => undefined,
      );
    }
  }

  async #end(byKill: boolean, name: string, away: number): Promise<void> {
    const host = this.host(name);
    if (!host.isRunning) return;
    if (byKill) {
      this.counts.kills += 1;
      await host.kill();
    } else {
      this.counts.terminations += 1;
      // Before it listens for signals, a process ends by them as the system has it.
      await eventually(`${name} is up`, () => !host.isRunning || this.#isUp(host));
      await host.stop();
    }
    await sleep(away);
    if (!host.isRunning) this.#launch(host);
  }

  /** The control socket was made after the start: by then signals are heard. */
  #isUp(host: Host): boolean {
    const made = statSync(controlSocketOf(host), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return made >= (this.#launchedAt.get(host.name) ?? 0);
  }

  /** Two cuts at a time are one. */
  #cutOnce(name: string, step: 1 | -1): void {
    const before = this.#cut.get(name) ?? 0;
    const after = before + step;
    this.#cut.set(name, after);
    if (before === 0 || after === 0) this.network.cut(name, after > 0);
  }
}

async function makeNetwork(names: readonly string[], onLoopback: boolean): Promise<Network> {
  if (!onLoopback) {
    try {
      return await namespaces(names);
    } catch {
      // Not root, or a kernel without them: the relays do, and the report says so.
    }
  }
  return loopback(names, await freePort());
}
