import { execFileSync } from 'node:child_process';
import { RelayHandle } from './relayHandle.ts';
import type { RelayOrder, Weather } from './relay.ts';

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
  /** Each MDS reaches Main by way of a relay that behaves as it is ordered to. */
  readonly weather: (host: string, weather: Partial<Weather>) => void;
  readonly order: (host: string, order: RelayOrder) => void;
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
export async function namespaces(mds: readonly string[]): Promise<Network> {
  const tag = `xds${process.pid}`;
  const space = (host: string): string => `${tag}-${host}`;
  const made: string[] = [];
  const make = (host: string): void => {
    ip('netns', 'add', space(host));
    made.push(host);
    ip('-n', space(host), 'link', 'set', 'lo', 'up');
  };
  const relays = new Map<string, RelayHandle>();
  const end = async (): Promise<void> => {
    for (const relay of relays.values()) await relay.end();
    for (const host of made) ip('netns', 'del', space(host));
  };
  const before = (host: string): string[] => ['ip', 'netns', 'exec', space(host)];
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
    for (const [i, host] of mds.entries())
      relays.set(host, await RelayHandle.start(before(host), { host: `10.77.${i}.1`, port: PORT }));
  } catch (error) {
    await end();
    throw error;
  }
  const slowdown = slowdownOf(space('main'), 'to0');
  return {
    kind: `network namespaces, cables that are taken out, relays, and tc ${slowdown.join(' ')}`,
    listen: `0.0.0.0:${PORT}`,
    before,
    ...through(relays),
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

/** On loopback: a cut lets no byte through and closes nothing. */
export async function loopback(mds: readonly string[], port: number): Promise<Network> {
  const relays = new Map<string, RelayHandle>();
  for (const host of mds) relays.set(host, await RelayHandle.start([], { host: '127.0.0.1', port }));
  const relay = relayOf(relays);
  return {
    kind: 'loopback, by way of relays',
    listen: `127.0.0.1:${port}`,
    before: () => [],
    ...through(relays),
    cut: (host, isCut) => relay(host).change({ cut: isCut }),
    slow: (host, isSlow) => relay(host).change({ delay: isSlow ? 40 : 0 }),
    end: async () => {
      for (const each of relays.values()) await each.end();
    },
  };
}

function through(relays: ReadonlyMap<string, RelayHandle>): Pick<Network, 'mainFrom' | 'weather' | 'order'> {
  const relay = relayOf(relays);
  return {
    mainFrom: (host) => `127.0.0.1:${relay(host).port}`,
    weather: (host, weather) => relay(host).change(weather),
    order: (host, order) => relay(host).order(order),
  };
}

function relayOf(relays: ReadonlyMap<string, RelayHandle>): (host: string) => RelayHandle {
  return (host) => {
    const found = relays.get(host);
    if (found === undefined) throw new Error(`no relay for ${host}`);
    return found;
  };
}
