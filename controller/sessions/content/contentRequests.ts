import type { FromAgent, FromMain } from '#protocol/messages/session.ts';
import type { Applier } from '#sync/apply/applier.ts';
import type { OnCommit } from '#sync/apply/applierOptions.ts';
import type { HostServices } from '#host/hostServices.ts';
import type { Tasks } from '#host/process/tasks.ts';
import type { ClockOffset } from '#wire/clockOffset.ts';
import type { IncomingStream } from '#wire/incomingStream.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import { type Answer, failed } from '../commandCalls.ts';
import { sendContent } from './contentSender.ts';
import type { Grant } from '../offers/grant.ts';
import { takeOffers } from '../offers/takeOffers.ts';
import type { Traffic } from './traffic.ts';

/** The connection to the agent. */
export type ContentLine = {
  openIncoming(stream: number, urgent: boolean): IncomingStream;
  openOutgoing(stream: number, bytes: number, urgent: boolean): OutgoingStream;
  send(message: FromMain): void;
  /** The peer broke the protocol. */
  violation(what: string): void;
};

export type ContentRequestsOptions = {
  readonly mds: string;
  readonly line: ContentLine;
  readonly host: HostServices;
  readonly clockOffset: ClockOffset;
  readonly tasks: Tasks;
  readonly traffic: Traffic;
  /** Records an accepted offer. */
  readonly recorder: (directory: MainDirectory, conflicts: ReadonlySet<string>, grant?: Grant) => OnCommit;
};

/** What moves content between Main and one agent: its requests for files, and its offers. */
export class ContentRequests {
  readonly #options: ContentRequestsOptions;
  #grant: Grant | undefined;

  constructor(options: ContentRequestsOptions) {
    this.#options = options;
  }

  /** Sends the requested files. */
  send(directory: MainDirectory, request: Extract<FromAgent, { type: 'get' }>): void {
    const { mds, line, host, tasks, traffic } = this.#options;
    const { log } = host;
    const open = (bytes: number): OutgoingStream =>
      line.openOutgoing(request.stream, bytes, isUrgent(directory));
    tasks.run('content could not be sent', () =>
      sendContent(directory, request, open, { mds, traffic, log }),
    );
  }

  /** Checks the offers, and takes those that Main accepts. */
  take(directory: MainDirectory, request: Extract<FromAgent, { type: 'offer' }>): void {
    const { mds, line, host, clockOffset, tasks, traffic, recorder } = this.#options;
    tasks.run('an offer could not be taken', () =>
      takeOffers(directory, request, {
        mds,
        host,
        line,
        traffic,
        isUrgent: isUrgent(directory),
        // The agent's clock minus Main's; an agent offers nothing before it was measured.
        clockOffset: () => -clockOffset.nanoseconds,
        grant: this.#grant,
        recorder: (conflicts, grant) => recorder(directory, conflicts, grant),
      }),
    );
  }

  /** Sends the offset from which an interrupted upload of a content resumes. */
  sendResumeOffset(
    { applier }: MainDirectory,
    { id, hash }: Extract<FromAgent, { type: 'ask-begun' }>,
  ): void {
    this.#options.line.send({ type: 'begun', id, bytes: resumeOffset(applier, hash) });
  }

  /** Permits the files of a grant while `ask` makes the agent offer them; one grant at a time. */
  async withGrant(grant: Grant, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#grant !== undefined)
      return failed('another command is taking files from it right now: try again');
    this.#grant = grant;
    try {
      return await ask();
    } finally {
      this.#grant = undefined;
    }
  }
}

/** 0 for a directory that can't be opened; the offer that follows reports the error. */
function resumeOffset(applier: Applier, hash: string): number {
  try {
    return applier.resumeOffset(hash);
  } catch {
    return 0;
  }
}

/** Dialplan changes are exempt from bandwidth limits. */
function isUrgent({ config }: MainDirectory): boolean {
  return config.reload === 'dialplan';
}
