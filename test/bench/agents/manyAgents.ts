import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { NODE } from '../../support/harness/bundles.ts';
import type { Begin, News } from './process.ts';

const PROGRAM = path.join(import.meta.dirname, 'process.ts');

/** Simulated agents in a process of their own. */
export class ManyAgents implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Enrols and connects them. @param tokens one for each */
  static async connect(port: number, tokens: readonly string[]): Promise<ManyAgents> {
    const [execPath, ...execArgv] = NODE;
    const child = fork(PROGRAM, { execPath, execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const agents = new ManyAgents(child);
    const begin: Begin = { port, tokens };
    child.send(begin);
    await agents.#until((news) => 'connected' in news);
    return agents;
  }

  /** Resolves when every agent has the new content of a path. */
  async onAll(file: string): Promise<void> {
    await this.#until((news) => 'onAll' in news && news.onAll === file);
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  async #until(holds: (news: News) => boolean): Promise<void> {
    const done = new AbortController();
    const { signal } = done;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('the process of the agents ended');
    });
    const news = (async (): Promise<void> => {
      for (;;) {
        const [said] = (await once(this.#child, 'message', { signal })) as [News];
        if (holds(said)) return;
      }
    })();
    try {
      await Promise.race([news, ended]);
    } finally {
      done.abort();
      await Promise.allSettled([news, ended]);
    }
  }
}
