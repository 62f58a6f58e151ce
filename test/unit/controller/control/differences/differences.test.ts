import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { encodeFrame } from '#protocol/frames.ts';
import type { Difference } from '#protocol/messages/answers.ts';
import { stampOf } from '#core/manifest/stamp.ts';
import { ControlError } from '#host/control/controlError.ts';
import { packFiles } from '#sync/transfer/packing/packFiles.ts';
import type { OutgoingStream } from '#wire/outgoingStream.ts';
import { differenceHandlers } from '../../../../../controller/control/differences/differences.ts';
import { type AgentEnd, settled } from '../../../../support/unit/agentEnd.ts';
import { fileEntry } from '../../../../support/unit/applyPlace.ts';
import { DIALPLAN, MainInProcess, RECORDINGS } from '../../../../support/unit/mainInProcess.ts';

const CALL = { by: 'command by alice', progress: () => undefined, signal: new AbortController().signal };

const difference = (path: string, kind: Difference['kind'], more: Partial<Difference> = {}): Difference => ({
  kind,
  directory: 'dialplan',
  path,
  type: 'file',
  bytes: 5,
  ...more,
});

type Handlers = ReturnType<typeof differenceHandlers>;

/** An MDS that differs in this. What a command removes or reverts is not listed any more afterwards. */
async function make(
  t: TestContext,
  found: Difference[],
  hello: object = {},
): Promise<{
  main: MainInProcess;
  agent: AgentEnd;
  found: Difference[];
  handlers: Handlers;
  asked: () => string[];
}> {
  const main = await MainInProcess.start(t, {
    [`${DIALPLAN}/a.conf`]: 'Main',
    [`${RECORDINGS}/r.wav`]: 'Main',
  });
  const agent = await main.mds('mds1', hello);
  agent.answer = (command) => {
    if (command.do === 'differences') {
      const { directory, path } = command;
      const here = found.filter(
        (each) =>
          (directory === undefined || each.directory === directory) &&
          (path === undefined || each.path === path || each.path.startsWith(`${path}/`)),
      );
      return { body: { to: 'differences', found: here, more: 0, problems: [] } };
    }
    if (command.do === 'content')
      return { body: { to: 'content', base64: Buffer.from('its own').toString('base64'), size: 7 } };
    if (command.do !== 'prune') return {};
    const actions = command.paths.map((path) => ({
      directory: command.directory,
      action: 'remove' as const,
      path,
      bytes: 0,
      reason: 'pruned',
    }));
    return { actions };
  };
  const handlers = differenceHandlers(main.controller);
  return { main, agent, found, handlers, asked: () => agent.commands.map((each) => each.do) };
}

const isError =
  (text: RegExp, exitCode = 1) =>
  (error: unknown) =>
    error instanceof ControlError && error.exitCode === exitCode && text.test(error.message);

describe('What an MDS differs in', () => {
  it('is listed; of a path also with the texts of both sides', async (t) => {
    const { handlers, asked } = await make(t, [difference('a.conf', 'drift', { at: 0, reason: 'edited' })]);
    const all = await handlers.diff({ mds: 'mds1' }, CALL);
    assert.deepEqual(
      all.differences.map(({ kind, path, at, item, reason }) => [kind, path, at, item, reason]),
      [['drift', 'a.conf', '1970-01-01T00:00:00.000Z', null, 'edited']],
    );
    assert.deepEqual(all.contents, []);
    assert.ok(!asked().includes('content'));
    const one = await handlers.diff({ mds: 'mds1', path: 'dialplan/a.conf' }, CALL);
    assert.deepEqual(
      one.contents.map(({ path, note }) => [path, note]),
      [['a.conf', null]],
    );
  });

  it('is asked for only where it can be answered', async (t) => {
    const { main, handlers } = await make(t, [], { capabilities: ['answers'], version: '0.1.0' });
    const diff = (mds: string, path?: string): Promise<unknown> =>
      Promise.resolve(handlers.diff({ mds, ...(path !== undefined && { path }) }, CALL));
    await assert.rejects(
      diff('mds1'),
      isError(/mds1 has version 0\.1\.0, which can't do this: .*upgrade mds1/),
    );
    await assert.rejects(diff('mds9'), isError(/there is no MDS "mds9"/, 2));
    await assert.rejects(diff('mds1', '/etc/passwd'), isError(/in no synchronised directory/, 2));
    main.controller.sessions.get('mds1')?.close('gone');
    await settled();
    await assert.rejects(diff('mds1'), isError(/^mds1: not connected \(was last seen/));
  });

  it('is an error for a path that neither side has, and nothing for one that both have alike', async (t) => {
    const { handlers } = await make(t, [difference('b.conf', 'local')]);
    const diff = async (path: string): Promise<unknown> => handlers.diff({ mds: 'mds1', path }, CALL);
    await assert.rejects(
      diff('dialplan/never.conf'),
      isError(/neither Main nor mds1 has dialplan\/never\.conf \(what differs there: dialplan\/b\.conf;/, 2),
    );
    assert.deepEqual((await handlers.diff({ mds: 'mds1', path: 'dialplan/a.conf' }, CALL)).differences, []);
  });

  it('is not taken from an MDS that names a directory of its own, or answers nonsense', async (t) => {
    const { agent, handlers } = await make(t, [difference('a', 'local', { directory: 'its-own' })]);
    assert.deepEqual((await handlers.diff({ mds: 'mds1' }, CALL)).differences, []);
    agent.answer = () => ({ body: { to: 'trash-list', items: [], problems: [] } });
    await assert.rejects(
      Promise.resolve(handlers.diff({ mds: 'mds1' }, CALL)),
      isError(/its answer is invalid \(it is one to "trash-list"\)/),
    );
  });
});

describe("An MDS's version becomes Main's", () => {
  it('as it was shown: the MDS is asked for just these files, and what it offers is taken', async (t) => {
    const { main, agent, handlers } = await make(t, [
      difference('new.conf', 'local', { bytes: 7 }),
      difference('folder', 'local', { type: 'folder', bytes: 0 }),
      difference('x.conf', 'override'),
    ]);
    const { answer } = agent;
    agent.answer = (command) => {
      if (command.do !== 'give') return answer(command);
      assert.deepEqual(command, { do: 'give', directory: 'dialplan', files: [{ path: 'new.conf' }] });
      void giveOne(main, agent);
      return undefined;
    };
    const { files, by } = await handlers.adopt({ mds: 'mds1', path: 'dialplan', dryRun: false }, CALL);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['new.conf'],
    );
    assert.equal(main.read(`${DIALPLAN}/new.conf`), 'its own');
    const [row] = main.controller.history.find({ limit: 1, changeSet: by ?? '' });
    assert.deepEqual(
      [row?.kind, row?.path, row?.actor, row?.reason],
      ['adopt', 'new.conf', 'command by alice', 'adopted from mds1'],
    );
  });

  it('not as a dry run, and not while synchronisation is paused', async (t) => {
    const { main, handlers, asked } = await make(t, [difference('new.conf', 'local')]);
    const adopt = async (dryRun: boolean): Promise<unknown> =>
      handlers.adopt({ mds: 'mds1', path: 'dialplan', dryRun }, CALL);
    main.controller.pause.set(Date.now() + 60_000);
    await adopt(true);
    await assert.rejects(adopt(false), isError(/paused/));
    assert.ok(!asked().includes('give'));
  });

  it('not where it is left alone by its name, with what to do instead', async (t) => {
    const { handlers } = await make(t, [
      difference('xds_override_a.conf', 'override'),
      difference('old/b.bak', 'excluded', { reason: '*.bak' }),
    ]);
    const adopt = async (path: string): Promise<unknown> =>
      handlers.adopt({ mds: 'mds1', path, dryRun: false }, CALL);
    await assert.rejects(
      adopt('dialplan/xds_override_a.conf'),
      isError(/is an override .*under another name/),
    );
    await assert.rejects(adopt('dialplan/old'), isError(/is excluded \(\*\.bak\): it is left alone/));
  });
});

/** The agent offers what it was asked for, and answers when Main has taken it. */
async function giveOne(main: MainInProcess, agent: AgentEnd): Promise<void> {
  const id = agent.of('command').at(-1)?.id;
  main.write('/mds/0', 'its own');
  const stamp = stampOf(lstatSync(main.at('/mds/0'), { bigint: true }));
  const pieces: Uint8Array[] = [];
  const out = {
    write: async (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)),
    end: async () => undefined,
  };
  await packFiles(main.at('/mds'), [{ path: '0', size: 7, stamp }], out as unknown as OutgoingStream);
  const entry = fileEntry('its own');
  const offers = [{ op: 'put', path: 'new.conf', entry, expect: null, conflict: false, reason: 'asked for' }];
  agent.say({ type: 'offer', stream: 3, directory: 'dialplan', offers });
  agent.line.a.send(encodeFrame({ kind: 'data', stream: 3, bytes: Buffer.concat(pieces) }));
  agent.line.a.send(encodeFrame({ kind: 'end', stream: 3 }));
  for (let tries = 0; agent.of('offer-result').length === 0 && tries < 10_000; tries++) await settled(1);
  agent.say({ type: 'answer', id, ok: true, lines: [] });
}

describe("Main's version comes back on an MDS", () => {
  it('by a pass over that MDS, and the history says who wanted it, where it came back', async (t) => {
    const { main, agent, handlers, found } = await make(t, [
      difference('a.conf', 'drift'),
      difference('b.conf', 'drift'),
      difference('c.conf', 'drift', { item: '20261126T100000000Z-00000001/1' }),
    ]);
    const { answer } = agent;
    agent.answer = (command) => {
      // One of them can not be written there.
      if (command.do === 'reconcile') found.splice(0, 1);
      return answer(command);
    };
    const { files, left } = await handlers.revert({ mds: 'mds1', path: 'dialplan', dryRun: false }, CALL);
    assert.deepEqual(
      [files.map(({ path }) => path), left.map(({ path }) => path)],
      [['a.conf', 'b.conf'], ['b.conf']],
    );
    const rows = main.controller.history.find({ limit: 9 });
    assert.deepEqual(
      rows.map(({ mds, kind, path, actor }) => [mds, kind, path, actor]),
      [['mds1', 'revert', 'a.conf', 'command by alice']],
    );
  });

  for (const [what, each, why] of [
    [
      'a local file, which Main has no version of',
      difference('l.conf', 'local'),
      /is a local file of mds1: .*prune mds1 dialplan\/l\.conf/,
    ],
    [
      'an override',
      difference('xds_override_a.conf', 'override'),
      /is an override .*Remove or rename it on mds1 itself/,
    ],
    [
      'a recording, of which the newest version wins',
      difference('r.wav', 'pending', { directory: 'recordings' }),
      /in recordings the newest version wins on all hosts/,
    ],
  ] as const) {
    it(`not for ${what}`, async (t) => {
      const { handlers, asked } = await make(t, [each]);
      const path = `${each.directory}/${each.path}`;
      await assert.rejects(
        Promise.resolve(handlers.revert({ mds: 'mds1', path, dryRun: false }, CALL)),
        isError(why),
      );
      assert.ok(!asked().includes('reconcile'));
    });
  }

  it('not as a dry run', async (t) => {
    const { handlers, asked } = await make(t, [difference('a.conf', 'drift')]);
    const { files, left } = await handlers.revert({ mds: 'mds1', path: 'dialplan', dryRun: true }, CALL);
    assert.equal(files.length, 1);
    assert.deepEqual(left, []);
    assert.ok(!asked().includes('reconcile'));
  });
});
