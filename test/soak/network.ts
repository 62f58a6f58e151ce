import { execFileSync } from 'node:child_process';
import { createServer, connect, type Server, type Socket } from 'node:net';

/** The ways between Main and its MDS, which can be cut and slowed. */
export type Network = {
  /** What it is, for the report. */
  readonly kind: string;
  /** What Main listens on. */
  readonly listen: string;
  /** Words put before a command so that it runs on a host. */
  readonly before: (host: string) => readonly string[];
  /** What an MDS dials. */
  readonly mainFrom: (host: string) => string;
  readonly cut: (host: string, isCut: boolean) => void;
  readonly slow: (host: string, isSlow: boolean) => void;
  readonly end: () => Promise<void>;
};

const PORT = 9443;

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * A network namespace per host and a cable from each MDS to Main: a cut takes the cable out.
 * @throws when this machine or user may not make them
 */
export function namespaces(mds: readonly string[]): Network {
  const tag = `xds${process.pid}`;
  const space = (host: string): string => `${tag}-${host}`;
  const made: string[] = [];
  const make = (host: string): void => {
    ip('netns', 'add', space(host));
    made.push(host);
    ip('-n', space(host), 'link', 'set', 'lo', 'up');
  };
  const end = (): Promise<void> => {
    for (const host of made) ip('netns', 'del', space(host));
    return Promise.resolve();
  };
  try {
    make('main');
    mds.forEach((host, i) => {
      make(host);
      const [there, here] = [`to${i}`, 'main'];
      ip(
        ...['link', 'add', there, 'netns', space('main'), 'type', 'veth'],
        ...['peer', 'name', here, 'netns', space(host)],
      );
      ip('-n', space('main'), 'addr', 'add', `10.77.${i}.1/24`, 'dev', there);
      ip('-n', space(host), 'addr', 'add', `10.77.${i}.2/24`, 'dev', here);
      ip('-n', space('main'), 'link', 'set', there, 'up');
      ip('-n', space(host), 'link', 'set', here, 'up');
    });
  } catch (error) {
    void end();
    throw error;
  }
  const slowdown = slowdownOf(space('main'), 'to0');
  return {
    kind: `network namespaces, cables that are taken out, and tc ${slowdown.join(' ')}`,
    listen: `0.0.0.0:${PORT}`,
    before: (host) => ['ip', 'netns', 'exec', space(host)],
    mainFrom: (host) => `10.77.${mds.indexOf(host)}.1:${PORT}`,
    cut: (host, isCut) =>
      ip('-n', space('main'), 'link', 'set', `to${mds.indexOf(host)}`, isCut ? 'down' : 'up'),
    slow: (host, isSlow) => {
      const device = ['dev', `to${mds.indexOf(host)}`, 'root'];
      tc(space('main'), ['qdisc', isSlow ? 'replace' : 'del', ...device, ...(isSlow ? slowdown : [])]);
    },
    end,
  };
}

/** Delay and loss by netem; a kernel without it gets a narrow way with a short queue, which delays and loses, too. */
function slowdownOf(space: string, device: string): string[] {
  const netem = ['netem', 'delay', '40ms', '20ms', 'loss', '3%'];
  const narrow = ['tbf', 'rate', '8mbit', 'burst', '8kb', 'limit', '24kb'];
  for (const each of [netem, narrow]) {
    try {
      tc(space, ['qdisc', 'replace', 'dev', device, 'root', ...each]);
      tc(space, ['qdisc', 'del', 'dev', device, 'root']);
      return each;
    } catch {
      // This kernel does not know it.
    }
  }
  throw new Error('tc knows neither netem nor tbf here');
}

function tc(space: string, args: readonly string[]): void {
  execFileSync('ip', ['netns', 'exec', space, 'tc', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** On loopback, each MDS by way of a relay of its own: a cut lets no byte through and tells nobody. */
export async function relays(mds: readonly string[], port: number): Promise<Network> {
  const all = new Map<string, Relay>();
  for (const host of mds) all.set(host, await Relay.start(port));
  const of = (host: string): Relay => {
    const relay = all.get(host);
    if (relay === undefined) throw new Error(`no relay for ${host}`);
    return relay;
  };
  return {
    kind: 'loopback, by way of relays that hold bytes back',
    listen: `127.0.0.1:${port}`,
    before: () => [],
    mainFrom: (host) => `127.0.0.1:${of(host).port}`,
    cut: (host, isCut) => of(host).cut(isCut),
    slow: (host, isSlow) => (of(host).delay = isSlow ? 40 : 0),
    end: async () => {
      for (const relay of all.values()) await relay.end();
    },
  };
}

class Relay {
  delay = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #isCut = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#join(socket));
  }

  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const socket of this.#sockets) {
      if (isCut) socket.pause();
      else socket.resume();
    }
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(socket: Socket): void {
    const other = connect(this.#target, '127.0.0.1');
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(from);
      if (this.#isCut) from.pause();
      from.on('data', (chunk: Buffer) => this.#forward(from, to, chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  #forward(from: Socket, to: Socket, chunk: Buffer): void {
    if (this.delay === 0) {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => this.#isCut || from.resume());
      return;
    }
    from.pause();
    setTimeout(() => {
      to.write(chunk);
      if (!this.#isCut) from.resume();
    }, this.delay);
  }
}
