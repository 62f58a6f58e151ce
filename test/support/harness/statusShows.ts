import assert from 'node:assert/strict';
import { ask as askAgent } from '../../../agent/cli/ask.ts';
import { contextOf as agentContext } from '../../../agent/cli/context.ts';
import { ask as askMain } from '../../../controller/cli/ask.ts';
import { contextOf as mainContext } from '../../../controller/cli/context.ts';
import { eventually, type Host, type Ran } from './host.ts';

/** Characters of a log that are shown when a test fails here. */
const LAST_WORDS = 4_000;

export type Shown = {
  /** What its daemon answers by then, as JSON. It is asked until it does: that costs less than to start the command. */
  readonly hint: RegExp;
  /** The exit code that the command has to end with. */
  readonly code?: number;
  /** More words of the command. */
  readonly options?: readonly string[];
  /** Milliseconds. */
  readonly limit?: number;
};

/**
 * Waits until the command `status` of a host prints something. White space is one blank each, since long lines are
 * broken to fit a terminal.
 */
export async function statusShows(host: Host, wanted: RegExp, shown: Shown): Promise<void> {
  const { hint, code, options = [], limit } = shown;
  let last = '';
  const fails = (error: Error): never =>
    assert.fail(`${error.message}\n${last}\n${host.log.slice(-LAST_WORDS)}`);
  await eventually(
    `${host.name} answers ${hint.source}`,
    async () => hint.test((last = await statusAnswer(host))),
    limit,
  ).catch(fails);
  await eventually(
    `${host.name} shows ${wanted.source}`,
    async () => {
      const ran: Ran = await host.run(['status', ...options]);
      last = `${ran.code}: ${ran.stdout}${ran.stderr}`;
      return (code === undefined || ran.code === code) && wanted.test(last.replace(/\s+/g, ' '));
    },
    limit,
  ).catch(fails);
}

/** What the daemon of a host answers to `status`, as JSON; the reason where it does not answer. */
export async function statusAnswer(host: Host): Promise<string> {
  const { root, program } = host;
  const asked: Promise<unknown> =
    program === 'xivo-xds-sync'
      ? askMain(mainContext({ root }), 'status', {})
      : askAgent(agentContext({ root }), 'status', {});
  return asked.then(
    (answer) => JSON.stringify(answer),
    (error: unknown) => String(error),
  );
}
