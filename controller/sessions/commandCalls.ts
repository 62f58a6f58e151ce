import { randomInt } from 'node:crypto';
import { type ArrivingBody, bodyOfLines } from '#protocol/messages/answers.ts';
import type { Command, PlannedAction } from '#protocol/messages/common.ts';
import type { ArrivingFromAgent, CommandFigures } from '#protocol/messages/session.ts';
import { STALLED } from '#wire/heartbeat.ts';
import { Questions } from '#wire/questions.ts';

/** Lines that a dry run keeps of one answer. */
const MAX_ACTIONS = 500_000;

type AnswerPart = Extract<ArrivingFromAgent, { type: 'answer-part' }>;

export type Answer = {
  readonly ok: boolean;
  /** Words for people. */
  readonly lines: readonly string[];
  readonly body?: ArrivingBody | undefined;
  readonly actions: readonly PlannedAction[];
};

type Call = {
  readonly onFigures: ((figures: CommandFigures) => void) | undefined;
  readonly actions: PlannedAction[];
  /** What an older agent says in lines. */
  readonly bodyOf: (lines: readonly string[]) => ArrivingBody | undefined;
};

/** What Main has one agent do, until it has answered: or can't any more, which is an answer, too. */
export class CommandCalls {
  readonly #mds: string;
  readonly #questions = new Questions<Answer>();
  /** What an agent of an older version does without a word until it is done. */
  readonly #patient = new Questions<Answer>();
  readonly #givenUp = new Set<number>();
  readonly #calls = new Map<number, Call>();

  constructor(mds: string) {
    this.#mds = mds;
  }

  /** Commands without an answer. */
  get size(): number {
    return this.#questions.size + this.#patient.size;
  }

  /**
   * @param how.now monotonic milliseconds
   * @param how.isPatient waits as long as the connection lasts
   * @param how.onFigures is called when the agent says how far it is
   * @param how.saysData the agent answers with data, and not with JSON in lines
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
      // The answer may come yet: then it is of no interest any more, and no offence.
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
    // Then the lines are no words for people.
    const isData = inLines !== undefined && inLines.to !== 'nonsense';
    const actions = call?.actions ?? [];
    const answer = { ok, lines: isData ? [] : lines, actions, body: isData ? inLines : (body ?? inLines) };
    if (this.#questions.answer(id, answer) || this.#patient.answer(id, answer)) return undefined;
    return this.#givenUp.delete(id) ? undefined : 'an answer to nothing';
  }

  /** The agent lives and does nothing of what it was asked before then, monotonic milliseconds. */
  giveUp(askedBefore: number): void {
    this.#questions.giveUp(
      askedBefore,
      `${this.#mds} does not answer: for ${STALLED / 1000} s it has only said that it lives. See its log there ("journalctl -t xivo-xds-sync"), and restart xivo-xds-sync-agent`,
    );
  }

  end(reason: string): void {
    for (const questions of [this.#questions, this.#patient])
      questions.end(`the connection was lost (${reason})`);
  }
}

export function failed(line: string): Answer {
  return { ok: false, lines: [line], actions: [] };
}

function bodyInLines({ do: to }: Command, lines: readonly string[]): ArrivingBody | undefined {
  return to === 'why' || to === 'verify' || to === 'trash-list' ? bodyOfLines(to, lines) : undefined;
}
