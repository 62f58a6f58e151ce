import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { NODE } from '../support/harness/bundles.ts';
import type { RelayOrder, Weather } from './relay.ts';

const PROGRAM = path.join(import.meta.dirname, 'relayProcess.ts');

/** A relay in a process of its own, in the network of its MDS. */
export class RelayHandle {
  readonly port: number;
  readonly #child: ChildProcess;
  #weather: Weather = { cut: false, delay: 0, rate: 0 };

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @param before words put before the command so that it runs in the network of a host */
  static async start(
    before: readonly string[],
    target: { host: string; port: number },
  ): Promise<RelayHandle> {
    const words = [...before, ...NODE, PROGRAM, target.host, String(target.port)];
    const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    // It ends with the test, and a write to it may come too late.
    child.stdin.on('error', () => undefined);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return new RelayHandle(child, Number(line.toString()));
  }

  order(order: RelayOrder): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  change(weather: Partial<Weather>): void {
    this.#weather = { ...this.#weather, ...weather };
    this.order({ do: 'weather', weather: this.#weather });
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
