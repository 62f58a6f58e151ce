import type { AnswerBody, Difference, NamedContextChange } from '#protocol/messages/answers.ts';
import type { CommandFigures } from '#protocol/messages/session.ts';
import type { Command, PlannedAction } from '#protocol/messages/common.ts';
import { MAX_DIFFERENCES, MAX_ITEMS, MAX_NAMED_EXTENSIONS, MAX_PAGE_BYTES } from '#protocol/limits.ts';
import { whatFits } from '#protocol/pages.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import type { ContextChange } from '#core/dialplan/summary.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { DryRun } from '../directory/answers/explain.ts';
import { placeInTrash } from '#sync/trash/trash.ts';
import type { OwnHistory } from './ownHistory.ts';
import type { Upgrades } from '../upgrade/upgrades.ts';

/** Time limit of a verification for the arrival of manifests, milliseconds, since Main's request times out. */
const MANIFEST_WITHIN = 20_000;

/** The result of a command of Main. */
export type Answer = {
  readonly ok: boolean;
  /** The error, as text for people. */
  readonly lines: readonly string[];
  readonly actions: readonly PlannedAction[];
  readonly body?: AnswerBody;
};

/** Progress of a running command. */
export type Figures = { -readonly [K in keyof CommandFigures]: CommandFigures[K] };

/** One run of a command. */
export type CommandRun = {
  /** Aborted when the agent is stopping, and when the answer can't be delivered any more. */
  readonly asked: AbortSignal;
  /** Receives the progress of the command; omitted figures stay 0. */
  readonly figures: Figures;
};

/** The objects that commands work on. */
export type Commanded = {
  readonly directories: ReadonlyMap<string, AgentDirectory>;
  /** Names of all directories that Main has. */
  readonly wanted: readonly string[];
  /** Resolves when the directories of this connection are open. */
  readonly attached: Promise<unknown>;
  /** Scans every directory for the next pass. */
  readonly scan: () => Promise<Answer>;
  /** @param isScanned that scan counts */
  readonly reconcile: (isScanned: boolean) => Promise<Answer>;
  readonly upgrades: Upgrades;
  readonly history: Pick<OwnHistory, 'asked'>;
  readonly clock: Clock;
  /** Aborted when the agent is stopping. */
  readonly signal: AbortSignal;
  readonly run: CommandRun;
};

const done: Answer = { ok: true, lines: [], actions: [] };
const unknownDirectory: Answer = { ok: false, lines: ['this MDS does not know the directory'], actions: [] };

/** Carries out a command of Main. @throws an error for the answer */
export async function carryOut(command: Command, on: Commanded): Promise<Answer> {
  const all = [...on.directories.values()];
  switch (command.do) {
    case 'scan':
      return on.scan();
    case 'reconcile':
      return on.reconcile(command.isScanned === true);
    case 'plan': {
      const passes = await Promise.all(
        all.map(async (directory) => ({ directory: directory.name, ...(await directory.plans.dryRun()) })),
      );
      const actions = passes.flatMap((pass) => pass.actions);
      return { ok: passes.every(({ ok }) => ok), lines: [], actions, body: planOf(passes) };
    }
    case 'why': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      return { ...done, body: { to: 'why', facts: directory.plans.why(command.path) } };
    }
    case 'confirm': {
      const confirmed = { directory: command.directory, changeSet: '', kind: 'confirm' };
      await on.directories.get(command.directory)?.confirm();
      on.history.asked('main', { ...confirmed, reason: 'held removals confirmed' });
      await on.directories.get(command.directory)?.whenIdle();
      return done;
    }
    case 'verify':
      return verify(on);
    case 'trash-list':
      return { ...done, body: await trashOf(all) };
    case 'trash-restore': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      const { directory: name, item, to: path } = command;
      await directory.restore(item, path);
      const reason = `restored from the trash (${item})`;
      const { changeSet } = placeInTrash(item);
      on.history.asked('main', { directory: name, changeSet, kind: 'restore', path, reason });
      return done;
    }
    case 'differences':
      return differences(on, command);
    case 'content': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      const { content, size } = directory.own.content(command.path, command.item);
      return { ...done, body: { to: 'content', base64: content.toString('base64'), size } };
    }
    case 'give': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      await directory.own.give(command.files);
      return done;
    }
    case 'prune': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      await directory.readAgain();
      return { ...done, actions: await directory.own.prune(command.paths) };
    }
    case 'prune-rehearsal': {
      const directory = on.directories.get(command.directory);
      if (directory === undefined) return unknownDirectory;
      await directory.readAgain();
      return { ...done, actions: await directory.own.rehearsePrune(command.paths) };
    }
    case 'upgrade':
      return {
        ...done,
        ok: false,
        lines: [await on.upgrades.receive(command.offer, on.signal, on.run.figures)],
      };
  }
}

/** The holds, and what the dry runs would change for callers, as far as one message has room. */
function planOf(passes: readonly (DryRun & { readonly directory: string })[]): AnswerBody {
  const changing = passes.filter(({ dialplan }) => dialplan.length > 0);
  const share = Math.floor(MAX_PAGE_BYTES / Math.max(1, changing.length));
  const dialplan = changing.map(({ directory, dialplan: changes }) => {
    const contexts = whatFits(changes.map(named), share, MAX_ITEMS);
    return { directory, contexts, moreContexts: changes.length - contexts.length };
  });
  const holds = passes.flatMap(({ directory, held }) =>
    held === undefined ? [] : [{ directory, reason: held }],
  );
  return { to: 'plan', holds, dialplan };
}

function named({ context, gained, changed, lost }: ContextChange): NamedContextChange {
  const first = (all: readonly string[]): string[] => all.slice(0, MAX_NAMED_EXTENSIONS);
  const more = [gained, changed, lost].reduce(
    (sum, { length }) => sum + Math.max(0, length - MAX_NAMED_EXTENSIONS),
    0,
  );
  return { context, gained: first(gained), changed: first(changed), lost: first(lost), more };
}

/** The differences from Main; directories that can't be compared are named. */
async function differences(
  on: Commanded,
  { directory: only, path }: Extract<Command, { do: 'differences' }>,
): Promise<Answer> {
  const meant = [...on.directories.values()].filter(({ name }) => only === undefined || name === only);
  if (meant.length === 0 && only !== undefined) return unknownDirectory;
  const problems: string[] = [];
  const found: Difference[] = [];
  for (const directory of meant) {
    await directory.readAgain();
    if (directory.isComparable) found.push(...(await directory.own.differences(path)));
    else if (directory.replica.held !== undefined)
      problems.push(`${directory.name} is on hold: ${directory.replica.held}`);
    else problems.push(`${directory.name}: Main's manifest has not come yet: try again in a moment`);
  }
  const fitting = whatFits(found, MAX_PAGE_BYTES, MAX_ITEMS);
  const more = found.length - fitting.length;
  return { ...done, body: { to: 'differences', found: fitting, more, problems } };
}

/**
 * Just after connecting, manifests may not have arrived yet: waits for them, and reports those that are missing.
 * @throws the reason of the run's `asked`
 */
async function verify(on: Commanded): Promise<Answer> {
  const { asked, figures } = on.run;
  const patience = new AbortController();
  const late = pause(on.clock, MANIFEST_WITHIN, AbortSignal.any([patience.signal, asked]));
  try {
    await Promise.race([late, on.attached]);
    const all = [...on.directories.values()];
    await Promise.race([late, Promise.all(all.map((directory) => directory.manifest.whenHere()))]);
  } finally {
    patience.abort();
  }
  asked.throwIfAborted();
  for (const { replica } of on.directories.values()) {
    figures.filesTotal += replica.files;
    figures.bytesTotal += replica.bytes;
  }
  const found = await Promise.all(
    [...on.directories.values()].map(async (directory) => ({
      directory: directory.name,
      compared: directory.isComparable,
      ...(await directory.plans.verify((files, bytes) => {
        figures.files += files;
        figures.bytes += bytes;
      }, asked)),
    })),
  );
  const missing = on.wanted.filter((name) => !on.directories.has(name));
  const lines = [
    ...missing.map((name) => `${name}: this MDS does not know the directory`),
    ...found.flatMap(({ directory, compared }) =>
      compared ? [] : [`${directory}: Main's manifest has not come yet: try again in a moment`],
    ),
  ];
  const share = Math.floor(MAX_PAGE_BYTES / Math.max(1, found.length));
  const directories = found.map(({ directory, compared, files, bytes, wrong }) => {
    const named = [...wrong].map(([path, reason]) => ({ path, reason }));
    return { directory, compared, files, bytes, wrong: whatFits(named, share, MAX_DIFFERENCES) };
  });
  const ok = lines.length === 0 && found.every(({ wrong }) => wrong.size === 0);
  return { ok, lines, actions: [], body: { to: 'verify', directories } };
}

/** The newest of all directories, as far as one message has room. */
async function trashOf(all: readonly AgentDirectory[]): Promise<AnswerBody> {
  const listed = await Promise.all(all.map((directory) => directory.trash()));
  const items = listed.flatMap((each) => each.items).toSorted((a, b) => b.at - a.at);
  const fitting = whatFits(items, MAX_PAGE_BYTES, MAX_ITEMS);
  const problems = listed.flatMap((each) => each.problems);
  if (fitting.length < items.length)
    problems.unshift(`only the newest ${fitting.length} of ${items.length} things in the trash are listed`);
  return { to: 'trash-list', items: fitting, problems: problems.slice(0, MAX_PROBLEMS) };
}

/** Most problems of the trash that one answer reports. */
const MAX_PROBLEMS = 100;
