import { randomInt } from 'node:crypto';
import { type ArrivingBody, bodyOfLines } from '#protocol/messages/answers.ts';
import type { Command, PlannedAction } from '#protocol/messages/common.ts';
import type { ArrivingFromAgent, CommandFigures } from '#protocol/messages/session.ts';
import { STALLED } from '#wire/heartbeat.ts';
import { Questions } from '#wire/questions.ts';

/** Most lines kept of one answer. */
const MAX_ACTIONS = 500_000;

type AnswerPart = Extract<ArrivingFromAgent, { type: 'answer-part' }>;

export type Answer = {
  readonly ok: boolean;
  /** Message for people. */
  readonly lines: readonly string[];
  readonly body?: ArrivingBody | undefined;
  readonly actions: readonly PlannedAction[];
};

type Call = {
  readonly onFigures: ((figures: CommandFigures) => void) | undefined;
  readonly actions: PlannedAction[];
  /** The JSON lines of an older agent's answer. */
  readonly bodyOf: (lines: readonly string[]) => ArrivingBody | undefined;
};

/** The commands sent to one agent. Each resolves with the answer, or with a failure when none can come any more. */
export class CommandCalls {
  readonly #mds: string;
  readonly #questions = new Questions<Answer>();
  /** Commands during which an older agent reports no progress. */
  readonly #patient = new Questions<Answer>();
  readonly #givenUp = new Set<number>();
  readonly #calls = new Map<number, Call>();

  constructor(mds: string) {
    this.#mds = mds;
  }

  /** Number of unanswered commands. */
  get size(): number {
    return this.#questions.size + this.#patient.size;
  }

  /**
   * @param how.now monotonic milliseconds
   * @param how.isPatient waits without a limit as long as the connection lasts
   * @param how.onFigures called when the agent reports progress
   * @param how.saysData the agent has the capability `answers`: data instead of JSON lines
   */
  async call(
    command: Command,
    {
      now,
      isPatient,
      saysData,
      onFigures,
    }: {
      now: number;
      isPatient: boolean;
      saysData: boolean;
      onFigures?: ((figures: CommandFigures) => void) | undefined;
    },
    send: (id: number) => void,
  ): Promise<Answer> {
    const id = randomInt(1, 0xffff_ffff);
    const bodyOf = (lines: readonly string[]): ArrivingBody | undefined =>
      saysData ? undefined : bodyInLines(command, lines);
    this.#calls.set(id, { actions: [], bodyOf, onFigures });
    try {
      const questions = isPatient ? this.#patient : this.#questions;
      return await questions.ask(id, now, () => send(id));
    } catch (error) {
      // The answer may still arrive; it is then ignored and not a violation.
      this.#givenUp.add(id);
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      this.#calls.delete(id);
    }
  }

  /** @returns what is wrong with it, if something is */
  part({ id, actions, figures }: AnswerPart): string | undefined {
    const call = this.#calls.get(id);
    const known = call?.actions;
    if (figures !== undefined) call?.onFigures?.(figures);
    if (known === undefined) return this.#givenUp.has(id) ? undefined : 'an answer to nothing';
    if (known.length + actions.length > MAX_ACTIONS) return 'an answer without end';
    known.push(...actions);
    return undefined;
  }

  /** @returns what is wrong with it, if something is */
  answer({ id, ok, lines, body }: Extract<ArrivingFromAgent, { type: 'answer' }>): string | undefined {
    const call = this.#calls.get(id);
    const inLines = call?.bodyOf(lines);
    // The lines are JSON then, not a message for people.
    const isData = inLines !== undefined && inLines.to !== 'nonsense';
    const actions = call?.actions ?? [];
    const answer = { ok, lines: isData ? [] : lines, actions, body: isData ? inLines : (body ?? inLines) };
    if (this.#questions.answer(id, answer) || this.#patient.answer(id, answer)) return undefined;
    return this.#givenUp.delete(id) ? undefined : 'an answer to nothing';
  }

  /** Fails the commands without progress since then, monotonic milliseconds. */
  giveUp(askedBefore: number): void {
    this.#questions.giveUp(
      askedBefore,
      `${this.#mds} answers pings but nothing else, for ${STALLED / 1000} s. See its log there ("journalctl -t xivo-xds-sync"), and restart xivo-xds-sync-agent`,
    );
  }

  end(reason: string): void {
    for (const questions of [this.#questions, this.#patient])
      questions.end(`the connection was lost (${reason})`);
  }
}

/** The answer for a command that failed with this message. */
export function failed(line: string): Answer {
  return { ok: false, lines: [line], actions: [] };
}

function bodyInLines({ do: to }: Command, lines: readonly string[]): ArrivingBody | undefined {
  return to === 'why' || to === 'verify' || to === 'trash-list' ? bodyOfLines(to, lines) : undefined;
}
