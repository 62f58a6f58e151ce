import type { AgentReport, ArrivingFromAgent, FromAgent, FromMain } from '#protocol/messages/session.ts';
import type { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import type { ClockOffset } from '#wire/clockOffset.ts';
import { dispatch, type Handlers } from '#wire/handlers.ts';
import type { MainDirectory } from '../directories/mainDirectory.ts';
import type { CommandCalls } from './commandCalls.ts';
import type { ContentRequests } from './content/contentRequests.ts';
import type { ManifestSender } from './manifest/manifestSender.ts';

/** Records what the agent says about itself. */
export type AgentRecords = {
  applied(applied: Extract<FromAgent, { type: 'applied' }>): void;
  reported(report: AgentReport): void;
  /** The agent has stored the pin of Main's next key. */
  knowsIdentity(pin: string): void;
};

/** The parts of the session that handle the agent's requests and answers. */
export type SessionParts = {
  readonly manifests: ManifestSender;
  readonly content: ContentRequests;
  readonly calls: CommandCalls;
  readonly records: AgentRecords;
};

export type AgentMessagesOptions = {
  readonly line: {
    send(message: FromMain): void;
    /** The peer broke the protocol. */
    violation(what: string): void;
  };
  readonly directories: ReadonlyMap<string, MainDirectory>;
  readonly clock: Clock;
  readonly clockOffset: ClockOffset;
  readonly tasks: Tasks;
  readonly parts: SessionParts;
};

/** The messages of a welcomed agent, each with its handler. */
export class AgentMessages {
  readonly #options: AgentMessagesOptions;
  readonly #handlers: Handlers<ArrivingFromAgent>;

  constructor(options: AgentMessagesOptions) {
    this.#options = options;
    const { line, clock, clockOffset, tasks, parts } = options;
    const { manifests, content, calls, records } = parts;
    this.#handlers = {
      hello: () => line.violation('a second hello'),
      'want-manifest': this.#about((directory, { have }) =>
        tasks.run('a manifest could not be sent', () => manifests.send(directory, have)),
      ),
      get: this.#about((directory, request) => content.send(directory, request)),
      offer: this.#about((directory, request) => content.take(directory, request)),
      'ask-begun': this.#about((directory, request) => content.sendResumeOffset(directory, request)),
      report: (report) => records.reported(report),
      applied: this.#about((_, applied) => records.applied(applied)),
      'answer-part': (part) => this.#check(calls.part(part)),
      answer: (answer) => this.#check(calls.answer(answer)),
      'knows-identity': ({ pin }) => records.knowsIdentity(pin),
      ping: ({ sent }) => line.send({ type: 'pong', sent, time: clock.now() }),
      pong: ({ sent, time }) => clockOffset.measured(sent, time, clock.now()),
      // The channel handles these.
      credit: () => undefined,
      cancel: () => undefined,
    };
  }

  receive(message: ArrivingFromAgent): void {
    dispatch(this.#handlers, message.type, message);
  }

  /** A handler for messages about a directory, which Main must have. */
  #about<Message extends { readonly directory: string }>(
    handle: (directory: MainDirectory, message: Message) => void,
  ): (message: Message) => void {
    return (message) => {
      const { line, directories } = this.#options;
      const directory = directories.get(message.directory);
      if (directory === undefined)
        line.violation(`a directory "${message.directory}" that Main does not have`);
      else handle(directory, message);
    };
  }

  #check(offence: string | undefined): void {
    if (offence !== undefined) this.#options.line.violation(offence);
  }
}
