import { Owners } from '#host/fs/owners.ts';
import { createLogger } from '#host/log/logger.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import type { MainDirectory } from '../../../controller/directories/mainDirectory.ts';
import { ControllerSession } from '../../../controller/sessions/controllerSession.ts';
import type { SessionOwner } from '../../../controller/sessions/sessionOwner.ts';
import { ManualClock } from '../wire/manualClock.ts';
import { AgentEnd } from './agentEnd.ts';

export const PIN = 'a1'.repeat(32);

export const TERMS: ReturnType<SessionOwner['terms']> = {
  main: { stateId: 'main', sequence: 1 },
  additive: false,
  directories: [],
  guard: { percent: 25, files: 10 },
  reconcileEvery: 900_000,
  paused: false,
};

/** A session of Main's with an agent that the test plays, and what the session reported to its owner. */
export class PlayedSession {
  readonly agent: AgentEnd;
  readonly clock: ManualClock;
  readonly session: ControllerSession;
  readonly events: string[] = [];
  readonly log: string[] = [];

  constructor({
    directories = new Map<string, MainDirectory>(),
    owner = {},
    agent = new AgentEnd(),
    clock = new ManualClock(),
    name = 'mds1',
    pin = PIN,
    address = '192.0.2.1',
  }: {
    directories?: ReadonlyMap<string, MainDirectory>;
    owner?: Partial<SessionOwner>;
    agent?: AgentEnd;
    clock?: ManualClock;
    name?: string;
    pin?: string;
    address?: string;
  } = {}) {
    this.agent = agent;
    this.clock = clock;
    const unlimited = new RateLimit(() => 0, clock);
    this.session = new ControllerSession({
      peer: { socket: agent.socket, name, pin, address },
      version: '0.2.0',
      directories,
      host: {
        clock,
        log: createLogger('warn', ({ event }) => this.log.push(event)),
        owners: new Owners(),
      },
      pace: { incoming: unlimited, outgoing: unlimited },
      owner: {
        sequence: () => 1,
        hold: () => null,
        terms: () => TERMS,
        recorder: () => () => this.events.push('recorded'),
        ready: () => this.events.push('ready'),
        applied: ({ changeSet }) => this.events.push(`applied ${changeSet}`),
        reported: (report, delivered) =>
          this.events.push(`reported ${report.sequence}, delivered ${delivered.length}`),
        knowsIdentity: (known) => this.events.push(`knows ${known.slice(0, 4)}`),
        closed: (_session, reason) => this.events.push(`closed: ${reason}`),
        ...owner,
      },
    });
  }
}
