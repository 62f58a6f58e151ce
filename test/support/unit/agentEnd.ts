import { setImmediate as turn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { AGENT_CAPABILITIES } from '#protocol/capabilities.ts';
import type { Command } from '#protocol/messages/common.ts';
import { type FromAgent, type FromMain, fromMainSchema } from '#protocol/messages/session.ts';
import { PROTOCOL } from '#protocol/version.ts';
import { asWebSocket, MemoryLine } from '../wire/memorySocket.ts';

export const HELLO: Extract<FromAgent, { type: 'hello' }> = {
  type: 'hello',
  protocol: PROTOCOL,
  version: '0.2.0',
  state: { stateId: 'state-1', sequence: 1 },
  directories: [],
  capabilities: [...AGENT_CAPABILITIES],
};

/** What an agent answers to a command: nothing at all when undefined. */
export type Answering = (command: Command) =>
  | (Partial<Omit<Extract<FromAgent, { type: 'answer' }>, 'type' | 'id'>> & {
      readonly actions?: Extract<FromAgent, { type: 'answer-part' }>['actions'];
    })
  | undefined;

/** The agent's end of a line in memory: it keeps what Main says, and says what the test has it say. */
export class AgentEnd {
  readonly line = new MemoryLine();
  readonly heard: FromMain[] = [];
  readonly commands: Command[] = [];
  /** How the connection ended; undefined while it lasts. */
  closed: string | undefined;
  answer: Answering = () => undefined;

  constructor() {
    this.line.a.on('error', () => undefined);
    this.line.a.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) this.#hear(fromMainSchema.parse(JSON.parse(data.toString('utf8'))));
    });
    this.line.a.on('close', (code: number, reason: Buffer) => (this.closed = `${code} ${reason.toString()}`));
  }

  /** Main's end. */
  get socket(): WebSocket {
    return asWebSocket(this.line.b);
  }

  say(message: object): void {
    this.line.a.send(JSON.stringify(message));
  }

  hello(changed: object = {}): void {
    this.say({ ...HELLO, ...changed });
  }

  /** The messages of this type that were heard. */
  of<Type extends FromMain['type']>(type: Type): Extract<FromMain, { type: Type }>[] {
    return this.heard.filter((each): each is Extract<FromMain, { type: Type }> => each.type === type);
  }

  #hear(message: FromMain): void {
    this.heard.push(message);
    if (message.type !== 'command') return;
    this.commands.push(message.command);
    const answer = this.answer(message.command);
    if (answer === undefined) return;
    const { actions, ...rest } = answer;
    const { id } = message;
    if (actions !== undefined) this.say({ type: 'answer-part', id, actions });
    this.say({ type: 'answer', id, ok: true, lines: [], ...rest });
  }
}

/** Lets everything arrive that is under way on lines in memory. */
export async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}
