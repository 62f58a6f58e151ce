import * as z from 'zod';
import { MAX_CONTENT_BYTES, MAX_DIFFERENCES, MAX_ITEMS, MAX_NAMED_EXTENSIONS } from '../limits.ts';
import { count, name, text, whatIsWrong } from './common.ts';

/** Range of a Date, milliseconds. */
const MAX_TIME = 8.64e15;
/** A path as an MDS sends it. Main validates it before use. */
const path = z.string().max(8192);

/** The decision of one MDS's planner about one path. */
export const whyFacts = z.object({
  decision: z.object({
    kind: z.string().max(64),
    reason: text.optional(),
    drift: z.boolean().optional(),
  }),
  main: text,
  mds: text,
  ledger: text,
  /** Neither side has the path. Agents of the previous version send none of the following three. */
  isNowhere: z.boolean().optional(),
  /** The pattern that excludes its name. */
  excludedBy: text.optional(),
  /** Why the decision is not carried out: a hold, a refused change set, a failed attempt. */
  obstacle: text.optional(),
});

/** Result of re-reading every byte of one directory on one MDS. */
const verifiedDirectory = z.object({
  directory: name,
  /** True when the content was compared with Main's manifest, false when only with the MDS's own scan index. */
  compared: z.boolean(),
  files: count,
  bytes: count,
  wrong: z.array(z.object({ path, reason: text })).max(MAX_DIFFERENCES),
});

const extensions = z.array(text).max(MAX_NAMED_EXTENSIONS);

/** Effect of a change set on one dialplan context. Extensions are named with their priority, as `100,1`. */
export const contextChange = z.object({
  context: text,
  gained: extensions,
  changed: extensions,
  lost: extensions,
  /** Number of further extensions that these lists leave out. */
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
 * How a path on an MDS differs from Main:
 * - `local`: exists only there and was never delivered; `override` and `excluded`: ignored because of its name
 * - `drift`: a delivered file was edited there; `replaced`: other content had the name of a file of Main's. With `item`,
 *   Main's version is in place again and the MDS's own version lies in the trash.
 * - `pending`: the next pass changes it; `skipped`: it can't travel
 */
const difference = z.object({
  kind: z.enum(['local', 'override', 'excluded', 'drift', 'replaced', 'pending', 'skipped']),
  directory: name,
  path,
  type: z.enum(['file', 'folder', 'link', 'other']),
  bytes: count,
  /** For trashed versions: when they were displaced, milliseconds since 1970, and their trash id. */
  at: z.number().min(-MAX_TIME).max(MAX_TIME).optional(),
  item: z.string().min(1).max(128).optional(),
  /** The planner's reason, the obstacle, or the pattern that excludes it. */
  reason: text.optional(),
});

/** The data in the answer to each command, beside its success and message. */
const body = z.discriminatedUnion('to', [
  z.object({ to: z.literal('why'), facts: whyFacts }),
  z.object({ to: z.literal('verify'), directories: z.array(verifiedDirectory).max(64) }),
  /** Sent beside the actions, only to a Main with the capability `dialplan-summary`. */
  z.object({
    to: z.literal('plan'),
    /** Reason of the hold that a person has to confirm; the actions on hold carry the same reason. Other holds end by themselves. */
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
    /** Number of further items that do not fit into one message. */
    more: count,
    problems: z.array(text).max(MAX_ITEMS),
  }),
  /** `size`: of the whole file, bytes. */
  z.object({ to: z.literal('content'), base64: z.base64().max(2 * MAX_CONTENT_BYTES), size: count }),
]);

/** An invalid answer is dropped; the connection stays. */
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

/** The answer of an agent without the capability `answers`: one JSON value per line, read by the same schema. */
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

/** The same for a Main without that capability. */
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
    // A Main that sends these commands has the capability `answers`.
    case 'differences':
    case 'content':
      return [];
  }
}
