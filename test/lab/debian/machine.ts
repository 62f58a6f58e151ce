import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Container } from './container.ts';
import { debianImage, type Release } from './images.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A switch of the test's own, in a network namespace of its own: nothing reaches the machine's network. */
export class Network {
  readonly name = `xds${process.pid}`;

  constructor() {
    ip('netns', 'add', this.name);
    ip('-n', this.name, 'link', 'add', 'switch', 'type', 'bridge');
    ip('-n', this.name, 'link', 'set', 'switch', 'up');
  }

  end(): void {
    ip('netns', 'del', this.name);
  }
}

/** A bare Debian with an address of its own: a copy-on-write folder as root, and a network namespace. */
export class Machine {
  readonly name: string;
  readonly root: string;
  readonly address: string;
  readonly #folder: string;
  readonly #namespace: string;
  readonly #daemons = new Map<string, ChildProcess>();
  readonly #container: Container | undefined;

  constructor(options: {
    folder: string;
    name: string;
    release: Release;
    address: string;
    network: Network;
    /** A program that this one lacks. */
    without?: string;
    /** Lets systemd run there. */
    boot?: boolean;
    /** Keeps the Asterisk of the release, where there is one; else a script stands in, which takes every command. */
    asterisk?: boolean;
  }) {
    const { folder, name, release, address, network, without, boot, asterisk } = options;
    this.name = name;
    this.address = address;
    this.#folder = path.join(folder, name);
    this.#namespace = `${network.name}-${name}`;
    this.root = path.join(this.#folder, 'root');
    const [upper, work] = ['upper', 'work'].map((part) => path.join(this.#folder, part));
    for (const each of [this.root, upper, work]) mkdirSync(each ?? '', { recursive: true });
    mount(
      '-t',
      'overlay',
      'overlay',
      '-o',
      `lowerdir=${debianImage(release)},upperdir=${upper},workdir=${work}`,
      this.root,
    );
    const link = `x${process.pid % 10_000}${name}`.slice(0, 15);
    ip('netns', 'add', this.#namespace);
    ip(
      '-n',
      network.name,
      'link',
      'add',
      link,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      this.#namespace,
    );
    ip('-n', network.name, 'link', 'set', link, 'master', 'switch', 'up');
    ip('-n', this.#namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', this.#namespace, 'link', 'set', device, 'up');
    if (without !== undefined) rmSync(this.path(without));
    this.write('/etc/hostname', `${name}\n`);
    if (asterisk !== true) {
      this.write('/usr/sbin/asterisk', '#!/bin/sh\nexit 0\n');
      execFileSync('chmod', ['755', this.path('/usr/sbin/asterisk')]);
    }
    for (const each of [
      '/etc/asterisk/extensions_extra.d',
      '/var/lib/xivo/moh',
      '/var/lib/xivo/sounds/recordings',
    ])
      mkdirSync(this.path(each), { recursive: true });
    if (boot === true) {
      this.#container = new Container(this.root, this.#namespace);
      return;
    }
    mountKernelFiles(this.root);
    this.daemon('rsyslogd', ['rsyslogd', '-n']);
  }

  /** Waits until systemd has started everything. @throws when it does not, with what it said */
  async booted(): Promise<void> {
    await this.#container?.booted();
  }

  path(inside: string): string {
    return path.join(this.root, inside);
  }

  has(inside: string): boolean {
    return existsSync(this.path(inside));
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), 'utf8');
  }

  write(inside: string, content: string | Uint8Array): void {
    mkdirSync(path.dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), content);
  }

  /** Runs a shell command in it, to its end. */
  run(command: string, input = ''): Ran {
    const [program = '', ...args] = this.#inside(['sh', '-c', command]);
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: 'utf8',
      timeout: 120_000,
      env: ENVIRONMENT,
    });
    return { code: status ?? 255, stdout, stderr };
  }

  /** Runs a command that must succeed. @returns what it printed */
  ok(command: string, input = ''): string {
    const { code, stdout, stderr } = this.run(command, input);
    if (code !== 0) throw new Error(`${this.name}: ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a program that stays. */
  daemon(name: string, command: readonly string[]): ChildProcess {
    const [program = '', ...args] = this.#inside(command);
    const log = openSync(path.join(this.#folder, `${name}.log`), 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log], env: ENVIRONMENT });
    closeSync(log);
    this.#daemons.set(name, child);
    return child;
  }

  /** Starts a service as its unit says, with the unit's capabilities; its sandbox of mounts is systemd's to make. */
  service(name: string): ChildProcess {
    const unit = this.read(`/lib/systemd/system/${name}.service`);
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
    const capabilities = value('CapabilityBoundingSet').toLowerCase().replaceAll('cap_', '+').split(' ');
    return this.daemon(name, [
      'setpriv',
      `--bounding-set=-all,${capabilities.join(',')}`,
      '--inh-caps=-all',
      '--no-new-privs',
      ...value('ExecStart').split(' '),
    ]);
  }

  /** Ends a daemon as systemd would. @returns its exit code, and how long it took, in milliseconds */
  async stop(name: string): Promise<{ code: number | null; tookMs: number }> {
    const child = this.#daemons.get(name);
    if (child === undefined || child.exitCode !== null) return { code: child?.exitCode ?? null, tookMs: 0 };
    const began = Date.now();
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code] = await ended;
    clearTimeout(patience);
    return { code, tookMs: Date.now() - began };
  }

  logOf(name: string): string {
    return readFileSync(path.join(this.#folder, `${name}.log`), 'utf8');
  }

  async end(): Promise<void> {
    if (this.has('/run/xivo-xds-sync/agent.pid')) this.run('kill $(cat /run/xivo-xds-sync/agent.pid)');
    for (const name of [...this.#daemons.keys()].toReversed()) await this.stop(name);
    await this.#container?.end();
    ip('netns', 'del', this.#namespace);
    for (const each of this.#container === undefined ? ['dev', 'proc', ''] : [''])
      execFileSync('umount', ['--lazy', path.join(this.root, each)]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #inside(command: readonly string[]): string[] {
    if (this.#container !== undefined) return this.#container.inside(command);
    return [
      'ip',
      'netns',
      'exec',
      this.#namespace,
      'unshare',
      '--uts',
      'sh',
      '-c',
      `hostname ${this.name}; exec chroot "$@"`,
      'sh',
      this.root,
      ...command,
    ];
  }
}

const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
};

/** What programs look for in /proc and /dev. */
function mountKernelFiles(root: string): void {
  mount('-t', 'proc', 'proc', path.join(root, 'proc'));
  mount('-t', 'tmpfs', 'tmpfs', path.join(root, 'dev'));
  for (const [device, major, minor] of [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['random', 1, 8],
    ['urandom', 1, 9],
  ] as const) {
    execFileSync('mknod', ['-m', '666', path.join(root, 'dev', device), 'c', `${major}`, `${minor}`]);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args);
}
