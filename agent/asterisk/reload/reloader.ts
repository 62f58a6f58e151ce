import { ANSWER_TIMEOUT_MS } from './limits.ts';
import { RELOAD_KINDS } from './result.ts';
import type { Prove } from './proof.ts';
import type { ReloadKind, ReloadResult } from './result.ts';
import { runReload } from './runReload.ts';
import type { ReloadEnd } from './runReload.ts';
import { isPending, transition } from './reloadState.ts';
import type { ReloadEvent, ReloadState } from './reloadState.ts';

/** The reloader's clock; tests pass one that they control. */
export type ReloadClock = {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after so many milliseconds; the returned function cancels that. */
  after(ms: number, callback: () => void): () => void;
};

export type ReloaderOptions = {
  /** The command's words; `-rx` and the line for Asterisk are appended. */
  readonly asterisk: readonly string[];
  readonly clock: ReloadClock;
  /** Called for every completed reload, including retries without a waiting request. */
  readonly onResult: (result: ReloadResult) => void;
  readonly prove?: Prove;
  /** Timeout of one answer, milliseconds. */
  readonly timeoutMs?: number;
};

type Waiter = (result: ReloadResult) => void;

/** State and waiting requests of one kind. Those in `next` need a reload that has not started yet. */
type Lane = {
  state: ReloadState;
  current: Waiter[];
  next: Waiter[];
  cancelWait: (() => void) | undefined;
  run: Promise<void>;
};

/** Reloads Asterisk: one reload of a kind at a time, pending until Asterisk has answered. */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #lanes: ReadonlyMap<ReloadKind, Lane>;
  readonly #closing = new AbortController();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#lanes = new Map(
      RELOAD_KINDS.map((kind) => [
        kind,
        { state: { name: 'idle' }, current: [], next: [], cancelWait: undefined, run: Promise.resolve() },
      ]),
    );
  }

  /**
   * Requests a reload and resolves with the result of one that started after this call. When Asterisk does not answer, it
   * resolves with `away`, and the reload stays pending and is retried. Never rejects.
   */
  request(kind: ReloadKind): Promise<ReloadResult> {
    const lane = this.#lane(kind);
    if (lane.state.name === 'closed') return Promise.resolve(this.#stopped(kind));
    const { promise, resolve } = Promise.withResolvers<ReloadResult>();
    lane.next.push(resolve);
    this.#handle(kind, { type: 'requested' });
    return promise;
  }

  /** The kinds with a pending reload; the caller keeps them over a restart. */
  pending(): ReloadKind[] {
    return RELOAD_KINDS.filter((kind) => isPending(this.#lane(kind).state));
  }

  /** Ends a running command and every wait; waiting requests resolve as stopped. */
  async close(): Promise<void> {
    for (const kind of RELOAD_KINDS) this.#handle(kind, { type: 'closed' });
    this.#closing.abort();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.run));
    for (const [kind, lane] of this.#lanes) {
      for (const resolve of [...lane.current.splice(0), ...lane.next.splice(0)]) resolve(this.#stopped(kind));
    }
  }

  #lane(kind: ReloadKind): Lane {
    const lane = this.#lanes.get(kind);
    if (lane === undefined) throw new Error(`There is no reload of the kind ${kind}.`);
    return lane;
  }

  #handle(kind: ReloadKind, event: ReloadEvent, result?: ReloadResult): void {
    const lane = this.#lane(kind);
    const step = transition(lane.state, event);
    lane.state = step.state;
    if (step.start || step.wait !== undefined || step.state.name === 'closed') {
      lane.cancelWait?.();
      lane.cancelWait = undefined;
    }
    if (step.settle && result !== undefined) {
      for (const resolve of lane.current.splice(0)) resolve(result);
      this.#options.onResult(result);
    }
    if (step.wait !== undefined) {
      lane.cancelWait = this.#options.clock.after(step.wait, () => {
        this.#handle(kind, { type: 'due' });
      });
    }
    if (step.start) {
      lane.current.push(...lane.next.splice(0));
      lane.run = this.#run(kind);
    }
  }

  async #run(kind: ReloadKind): Promise<void> {
    const { clock, asterisk, prove, timeoutMs } = this.#options;
    const at = clock.now();
    const end = await runReload(kind, asterisk, prove, {
      timeoutMs: timeoutMs ?? ANSWER_TIMEOUT_MS,
      signal: this.#closing.signal,
    });
    this.#handle(kind, { type: 'answered', how: end.how }, resultOf(kind, at, clock.now() - at, end));
  }

  #stopped(kind: ReloadKind): ReloadResult {
    const output = 'The agent stopped before this reload was done.';
    return { kind, at: this.#options.clock.now(), ok: false, durationMs: 0, output, away: true };
  }
}

function resultOf(kind: ReloadKind, at: number, durationMs: number, end: ReloadEnd): ReloadResult {
  const result = { kind, at, ok: end.how === 'final' && !end.refusal, durationMs, output: end.output };
  if (end.how !== 'final') return { ...result, away: true };
  return end.refusal ? { ...result, refusal: end.refusal } : result;
}
