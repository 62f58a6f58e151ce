import * as z from 'zod';
import { MAX_CONTENT_BYTES, MAX_DIFFERENCES, MAX_ITEMS, MAX_NAMED_EXTENSIONS } from '../limits.ts';
import { count, name, text, whatIsWrong } from './common.ts';

/** How far a Date reaches, milliseconds. */
const MAX_TIME = 8.64e15;
/** A path as an MDS names it. Main looks at what it may mean before it uses one. */
const path = z.string().max(8192);

/** What the planner of one MDS says of one path. */
export const whyFacts = z.object({
  decision: z.object({
    kind: z.string().max(64),
    reason: text.optional(),
    drift: z.boolean().optional(),
  }),
  main: text,
  mds: text,
  ledger: text,
  /** Neither side has the path. An agent of the version before says none of these three. */
  isNowhere: z.boolean().optional(),
  /** The pattern that leaves its name out. */
  excludedBy: text.optional(),
  /** Why it does not happen: a hold, a refused change set, a failed try. */
  obstacle: text.optional(),
});

/** What one MDS found when it read every byte of a directory again. */
const verifiedDirectory = z.object({
  directory: name,
  /** The content was compared with Main's manifest; without that only with what the MDS itself remembered. */
  compared: z.boolean(),
  files: count,
  bytes: count,
  wrong: z.array(z.object({ path, reason: text })).max(MAX_DIFFERENCES),
});

const extensions = z.array(text).max(MAX_NAMED_EXTENSIONS);

/** What a change set would do to one context of a dialplan: extensions with their priority, as `100,1`. */
export const contextChange = z.object({
  context: text,
  gained: extensions,
  changed: extensions,
  lost: extensions,
  /** How many more there are than these lists name. */
  more: count,
});

/** Something in an MDS's trash. */
const trashItem = z.object({
  id: z.string().min(1).max(128),
  directory: name,
  path,
  /** When it was displaced, milliseconds since 1970. */
  at: z.number().min(-MAX_TIME).max(MAX_TIME),
  reason: text,
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
});

/**
 * How something on an MDS is otherwise than on Main:
 * - `local`: there alone, never delivered; `override` and `excluded`: left alone for their name
 * - `drift`: what was delivered was edited there; `replaced`: another content had Main's name. With `item` Main's is in its
 *   place again, and the MDS's own lies in the trash.
 * - `pending`: a pass would change it; `skipped`: it can't travel
 */
const difference = z.object({
  kind: z.enum(['local', 'override', 'excluded', 'drift', 'replaced', 'pending', 'skipped']),
  directory: name,
  path,
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
  /** For what lies in the trash: since when, milliseconds since 1970, and under which id. */
  at: z.number().min(-MAX_TIME).max(MAX_TIME).optional(),
  item: z.string().min(1).max(128).optional(),
  /** The planner's reason, what is in its way, or the pattern that excludes it. */
  reason: text.optional(),
});

/** What a command is answered with beyond success and words for people, by command. */
const body = z.discriminatedUnion('to', [
  z.object({ to: z.literal('why'), facts: whyFacts }),
  z.object({ to: z.literal('verify'), directories: z.array(verifiedDirectory).max(64) }),
  /** Beside the actions. Only to a Main with the capability `dialplan-summary`. */
  z.object({
    to: z.literal('plan'),
    /** What waits for a person's word: the actions with this very reason. Other holds end by themselves. */
    holds: z.array(z.object({ directory: name, reason: text })).max(64),
    dialplan: z
      .array(
        z.object({ directory: name, contexts: z.array(contextChange).max(MAX_ITEMS), moreContexts: count }),
      )
      .max(64),
  }),
  z.object({
    to: z.literal('trash-list'),
    items: z.array(trashItem).max(MAX_ITEMS),
    problems: z.array(text).max(MAX_ITEMS),
  }),
  z.object({
    to: z.literal('differences'),
    found: z.array(difference).max(MAX_ITEMS),
    /** How many more there are than one message holds. */
    more: count,
    problems: z.array(text).max(MAX_ITEMS),
  }),
  /** `size`: of all of it, bytes. */
  z.object({ to: z.literal('content'), base64: z.base64().max(2 * MAX_CONTENT_BYTES), size: count }),
]);

/** An answer that makes no sense costs this answer alone. */
export const answerBody = z.union([
  body,
  z.unknown().transform((value) => {
    const wrong = body.safeParse(value).error?.issues ?? [];
    return { to: 'nonsense' as const, reason: whatIsWrong(wrong) };
  }),
]);

export type AnswerBody = z.infer<typeof body>;
export type ArrivingBody = z.infer<typeof answerBody>;
export type NamedContextChange = z.infer<typeof contextChange>;
export type WhyFacts = Readonly<z.infer<typeof whyFacts>>;
export type Difference = Readonly<z.infer<typeof difference>>;
export type VerifiedDirectory = z.infer<typeof verifiedDirectory>;

/** What an agent without the capability `answers` says instead: JSON, a line a thing. Main reads it by the same schema. */
export function bodyOfLines(to: AnswerBody['to'], lines: readonly string[]): ArrivingBody {
  try {
    return answerBody.parse(
      valueOfLines(
        to,
        lines.map((line): unknown => JSON.parse(line)),
      ),
    );
  } catch {
    return { to: 'nonsense', reason: 'a line of it is not JSON' };
  }
}

function valueOfLines(to: AnswerBody['to'], lines: readonly unknown[]): unknown {
  if (to === 'why') return { to, facts: lines[0] };
  if (to === 'verify') return { to, directories: lines.map(oldVerified) };
  const isProblem = (line: unknown): line is { problem: unknown } =>
    typeof line === 'object' && line !== null && 'problem' in line;
  return {
    to,
    items: lines.filter((line) => !isProblem(line)),
    problems: lines.filter(isProblem).map(({ problem }) => problem),
  };
}

const oldVerifiedLine = z.object({ wrong: z.array(z.tuple([z.unknown(), z.unknown()])) }).loose();

function oldVerified(line: unknown): unknown {
  const old = oldVerifiedLine.safeParse(line).data;
  if (old === undefined) return line;
  const wrong = old.wrong.map(([at, reason]) => ({ path: at, reason }));
  return { ...old, wrong, compared: true };
}

/** The same for a Main without it. */
export function linesOfBody(answer: AnswerBody): string[] {
  switch (answer.to) {
    case 'why':
      return [JSON.stringify(answer.facts)];
    case 'verify':
      return answer.directories.map(({ directory, files, bytes, wrong }) => {
        const pairs = wrong.map(({ path: at, reason }) => [at, reason]);
        return JSON.stringify({ directory, files, bytes, wrong: pairs });
      });
    case 'plan':
      return [];
    case 'trash-list':
      return [...answer.problems.map((problem) => ({ problem })), ...answer.items]
        .slice(0, MAX_ITEMS)
        .map((line) => JSON.stringify(line));
    // A Main that asks for these understands data.
    case 'differences':
    case 'content':
      return [];
  }
}
