import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { FromMain } from '#protocol/messages/session.ts';
import { createLogger } from '#host/log/logger.ts';
import { Tasks } from '#host/process/tasks.ts';
import { ClockOffset } from '#wire/clockOffset.ts';
import { ContentRequests } from '../../../../../controller/sessions/content/contentRequests.ts';
import { Traffic } from '../../../../../controller/sessions/content/traffic.ts';
import type { Answer } from '../../../../../controller/sessions/commandCalls.ts';
import type { Grant } from '../../../../../controller/sessions/offers/grant.ts';
import { MainPlace } from '../../../../support/unit/mainDirectory.ts';
import { streamPair } from '../../../../support/unit/streamPair.ts';
import { ManualClock } from '../../../../support/wire/manualClock.ts';

const GRANT: Grant = {
  directory: 'files',
  files: new Map(),
  reason: 'adopted',
  actor: 'command by alice',
  kind: 'adopt',
  onDone: () => undefined,
};
const ANSWER: Answer = { ok: true, lines: [], actions: [] };

async function make(
  t: TestContext,
  config: Parameters<typeof MainPlace.make>[1] = {},
): Promise<{
  requests: ContentRequests;
  main: MainPlace;
  said: FromMain[];
  streams: string[];
  grants: (Grant | undefined)[];
  tasks: Tasks;
}> {
  const main = await MainPlace.make(t, config, { a: 'a' });
  const clock = new ManualClock();
  const said: FromMain[] = [];
  const streams: string[] = [];
  const grants: (Grant | undefined)[] = [];
  const tasks = new Tasks((what, error) => assert.fail(`${what}: ${String(error)}`));
  const requests = new ContentRequests({
    mds: 'mds1',
    line: {
      openIncoming: (stream, urgent) => {
        streams.push(`in ${stream}${urgent ? ' urgent' : ''}`);
        return streamPair().stream;
      },
      openOutgoing: (stream, _bytes, urgent) => {
        streams.push(`out ${stream}${urgent ? ' urgent' : ''}`);
        return streamPair().out;
      },
      send: (message) => said.push(message),
      violation: (what) => assert.fail(what),
    },
    host: { clock, log: createLogger('error', ({ event }) => assert.fail(event)), owners: main.owners },
    clockOffset: new ClockOffset(),
    tasks,
    traffic: new Traffic(() => clock.monotonic()),
    recorder: (_directory, _conflicts, grant) => {
      grants.push(grant);
      return () => undefined;
    },
  });
  return { requests, main, said, streams, grants, tasks };
}

void test('what Asterisk reads as its dialplan is exempt from limits, and nothing else', async (t) => {
  for (const [reload, urgent] of [
    ['dialplan', ' urgent'],
    ['moh', ''],
    ['none', ''],
  ] as const) {
    const { requests, main, streams, tasks } = await make(t, { reload });
    requests.send(main.directory, { type: 'get', stream: 1, directory: 'files', items: [] });
    requests.take(main.directory, { type: 'offer', stream: 2, directory: 'files', offers: [] });
    await tasks.ended();
    assert.deepEqual(streams.toSorted(), [`in 2${urgent}`, `out 1${urgent}`]);
  }
});

void test('copies of older versions wait for what is sent to an MDS, from its beginning to its end', async (t) => {
  const { requests, main, streams, tasks } = await make(t);
  t.mock.method(main.directory, 'delivering', () => {
    streams.push('copies wait');
    return { [Symbol.dispose]: () => streams.push('copies are made') };
  });
  requests.send(main.directory, { type: 'get', stream: 1, directory: 'files', items: [] });
  await tasks.ended();
  assert.deepEqual(streams, ['copies wait', 'out 1', 'copies are made']);
});

void test('a grant is for what the MDS offers while it is asked, and one command has it at a time', async (t) => {
  const { requests, main, grants, tasks } = await make(t);
  const offer = async (): Promise<void> => {
    requests.take(main.directory, { type: 'offer', stream: 1, directory: 'files', offers: [] });
    await tasks.ended();
  };
  const asked = Promise.withResolvers<Answer>();
  const first = requests.withGrant(GRANT, () => asked.promise);
  await offer();
  const second = await requests.withGrant(GRANT, () => assert.fail('it was asked'));
  assert.deepEqual(
    [second.ok, second.lines],
    [false, ['another command is taking files from it right now: try again']],
  );
  asked.resolve(ANSWER);
  assert.equal(await first, ANSWER);
  await offer();
  assert.deepEqual(grants, [GRANT, undefined]);
  await assert.rejects(requests.withGrant(GRANT, () => Promise.reject(new Error('the connection was lost'))));
  assert.equal(await requests.withGrant(GRANT, () => Promise.resolve(ANSWER)), ANSWER, 'it is free again');
});

void test('an upload that was cut off goes on from what Main has of it, from nothing where that can not be read', async (t) => {
  const { requests, main, said } = await make(t);
  const ask = { type: 'ask-begun', id: 7, directory: 'files', hash: 'a'.repeat(64) } as const;
  requests.sendResumeOffset(main.directory, ask);
  Object.defineProperty(main.directory, 'applier', {
    value: {
      resumeOffset: () => {
        throw new Error('ENOENT');
      },
    },
  });
  requests.sendResumeOffset(main.directory, ask);
  const fromNothing = { type: 'begun', id: 7, bytes: 0 };
  assert.deepEqual(said, [fromNothing, fromNothing]);
});
