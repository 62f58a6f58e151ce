import type { Controller } from '../../daemon/controller.ts';
import type { ControllerCommand, ControllerHandlers } from '../contract/contract.ts';

/** Commands that the history would not show by changed files, with the reason recorded for them. */
const REASONS: Partial<Record<ControllerCommand, string>> = {
  confirm: 'held removals confirmed',
  pause: 'paused',
  resume: 'resumed',
  'mds-add': 'join token made',
  'mds-approve': 'enrolment approved',
  'mds-remove': 'MDS removed',
  'mds-forget': 'removed MDS forgotten',
  'mds-upgrade': 'upgrade asked for',
  'rotate-begin': 'next key announced',
  'rotate-finish': 'next key put into use',
  'rotate-abandon': 'next key dropped',
};

type Handler = (args: Readonly<Record<string, unknown>>, call: { readonly by: string }) => unknown;

/** Wraps handlers so that successful commands of people are recorded in the history. */
export function audited(controller: Controller, handlers: ControllerHandlers): ControllerHandlers {
  const all: Record<string, unknown> = { ...handlers };
  for (const [command, reason] of Object.entries(REASONS)) {
    // Of the arguments, only names are recorded.
    const handler = all[command] as Handler | undefined;
    if (handler === undefined) continue;
    const recorded: Handler = async (args, call) => {
      const startedAt = controller.clock.monotonic();
      const result = await handler(args, call);
      const durationMs = Math.round(controller.clock.monotonic() - startedAt);
      if (args['dryRun'] !== true && !isEmpty(result))
        note(controller, command, args, { reason, actor: call.by, durationMs });
      return result;
    };
    all[command] = recorded;
  }
  return all as ControllerHandlers;
}

/** What changed nothing is not recorded: a confirmation without a hold, a resume without a pause. */
function isEmpty(result: unknown): boolean {
  if (typeof result === 'object' && result !== null && 'wasPaused' in result) return !result.wasPaused;
  const held = typeof result === 'object' && result !== null && 'held' in result ? result.held : undefined;
  return Array.isArray(held) && held.length === 0;
}

function note(
  { history, keeper, clock }: Controller,
  command: string,
  args: Readonly<Record<string, unknown>>,
  event: { readonly reason: string; readonly actor: string; readonly durationMs: number },
): void {
  const text = (key: string): string => (typeof args[key] === 'string' ? args[key] : '');
  const mds = text('mds') || text('name');
  const directory = text('directory');
  const detail = [event.reason, directory, mds].filter((part) => part !== '').join(' ');
  const at = clock.now();
  keeper.write(() =>
    history.add({ at, mds: mds || 'main', directory, changeSet: '', kind: command, detail, ...event }),
  );
}
