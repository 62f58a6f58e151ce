import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromMain } from '#protocol/messages/session.ts';
import { dispatch, type Handlers } from '#wire/handlers.ts';
import { mainMessages } from '../../../../agent/daemon/mainMessages.ts';
import type { AgentDirectory } from '../../../../agent/directory/agentDirectory.ts';

/** An agent with the directories `moh` and `sounds`; what its parts are called with, in order. */
function agent(): { hear: (message: FromMain) => void; calls: string[] } {
  const calls: string[] = [];
  const directory = (name: string): AgentDirectory => {
    const call =
      (what: string) =>
      (argument: unknown): number =>
        calls.push(typeof argument === 'boolean' ? `${name} ${what} ${argument}` : `${name} ${what}`);
    const [begin, page, end, change, check] = ['begin', 'page', 'end', 'change', 'check'].map(call);
    return {
      manifest: { begin, page, end, change, check },
      pause: call('pause'),
    } as unknown as AgentDirectory;
  };
  const handlers = mainMessages({
    directories: new Map(['moh', 'sounds'].map((name) => [name, directory(name)])),
    trust: { hear: (sequence) => calls.push(`sequence ${sequence}`) },
    onCommand: ({ id }) => calls.push(`command ${id}`),
  }) as Handlers<FromMain>;
  return { hear: (message) => dispatch(handlers, message.type, message as never), calls };
}

const of = { directory: 'moh', revision: 2 };
const items: never[] = [];
const digest = 'd'.repeat(64);

describe("Main's messages", () => {
  it('go to the directory that they are about, whose state is as new as the message says', () => {
    const { hear, calls } = agent();
    hear({ type: 'manifest-begin', ...of, held: null, root: null });
    hear({ type: 'manifest-page', directory: 'moh', items });
    hear({ type: 'manifest-end', ...of, sequence: 3 });
    hear({ type: 'changes', ...of, from: 1, sequence: 4, held: null, items });
    hear({ type: 'check', ...of, sequence: 5, digest });
    assert.deepEqual(calls, [
      'moh begin',
      'moh page',
      'sequence 3',
      'moh end',
      'sequence 4',
      'moh change',
      'sequence 5',
      'moh check',
    ]);
  });

  it('about a directory that this host does not have change nothing but the remembered state of Main', () => {
    const { hear, calls } = agent();
    hear({ type: 'manifest-page', directory: 'recordings', items });
    hear({ type: 'check', directory: 'recordings', revision: 2, sequence: 9, digest });
    assert.deepEqual(calls, ['sequence 9']);
  });

  it('pause and resume every directory, and hand over commands', () => {
    const { hear, calls } = agent();
    hear({ type: 'paused', paused: true });
    hear({ type: 'paused', paused: false });
    hear({ type: 'command', id: 7, command: { do: 'verify' } });
    assert.deepEqual(calls, [
      'moh pause true',
      'sounds pause true',
      'moh pause false',
      'sounds pause false',
      'command 7',
    ]);
  });
});
