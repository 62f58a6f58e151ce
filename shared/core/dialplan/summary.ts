import { extensionKey } from './extensionKey.ts';
import { HINT_PRIORITY, type PlannedPriority } from './registered.ts';
import { countOf } from '../text/countOf.ts';
import { shown } from './sections/sections.ts';
import type { Steps } from '../steps.ts';

/** The change of one context. Each text names an extension and a priority, as `100,1`; `300,*` is the whole extension. */
export type ContextChange = {
  readonly context: string;
  readonly gained: readonly string[];
  readonly changed: readonly string[];
  readonly lost: readonly string[];
  /** Number of further changes that were cut off. */
  readonly more?: number;
};

/** Changes of one context that are named; further ones are counted. */
const MOST_NAMED = 20;
/** Contexts that are named. */
const MOST_CONTEXTS = 50;

/** Priorities, or extensions, that are compared in one step. */
const COMPARED_IN_STEP = 256;

type Extension = { readonly name: string; readonly lines: Map<string, string> };

/** Summarises the change for callers, context by context, in order of names. Pure. */
export function* summarySteps(
  before: readonly PlannedPriority[],
  after: readonly PlannedPriority[],
): Steps<ContextChange[]> {
  const touched = yield* touchedContexts(before, after);
  const isTouched = ({ context }: PlannedPriority): boolean => touched.has(context);
  const old = yield* contextsOf(before.filter(isTouched));
  const next = yield* contextsOf(after.filter(isTouched));
  const names = [...new Set([...old.keys(), ...next.keys()])].sort();
  const changes: ContextChange[] = [];
  for (const context of names) {
    const change = yield* compared(context, old.get(context) ?? new Map(), next.get(context) ?? new Map());
    if (change.gained.length + change.changed.length + change.lost.length > 0) changes.push(change);
  }
  return changes;
}

/**
 * `[support] +100,1 ~200,1 -300,*`, with a blank between contexts; empty when nothing changes.
 * @param moreContexts number of further contexts
 */
export function summaryText(changes: readonly ContextChange[], moreContexts = 0): string {
  const texts = changes.slice(0, MOST_CONTEXTS).map(({ context, gained, changed, lost, more: cut = 0 }) => {
    const all = [
      ...gained.map((name) => `+${name}`),
      ...changed.map((name) => `~${name}`),
      ...lost.map((name) => `-${name}`),
    ];
    const unnamed = Math.max(0, all.length - MOST_NAMED) + cut;
    const more = unnamed > 0 ? [`and ${String(unnamed)} more`] : [];
    return [`[${context}]`, ...all.slice(0, MOST_NAMED), ...more].join(' ');
  });
  const more = Math.max(0, changes.length - MOST_CONTEXTS) + moreContexts;
  return [...texts, ...(more > 0 ? [`and ${countOf(more, 'more context')}`] : [])].join(' ');
}

/**
 * The contexts that may differ: those between the first and the last difference of the two lists. Most changes are small,
 * and everything around them need not be compared extension by extension.
 */
function* touchedContexts(
  before: readonly PlannedPriority[],
  after: readonly PlannedPriority[],
): Steps<Set<string>> {
  const shorter = Math.min(before.length, after.length);
  let same = 0;
  while (same < shorter && isSame(before[same], after[same])) if (++same % COMPARED_IN_STEP === 0) yield;
  let sameAtEnd = 0;
  while (sameAtEnd < shorter - same && isSame(before.at(-1 - sameAtEnd), after.at(-1 - sameAtEnd)))
    if (++sameAtEnd % COMPARED_IN_STEP === 0) yield;
  const touched = new Set<string>();
  for (const priorities of [before, after])
    for (const { context } of priorities.slice(same, priorities.length - sameAtEnd)) touched.add(context);
  return touched;
}

function isSame(a: PlannedPriority | undefined, b: PlannedPriority | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.priority === b.priority &&
    a.application === b.application &&
    a.extension === b.extension &&
    a.context === b.context &&
    a.caller === b.caller &&
    a.label === b.label
  );
}

function* contextsOf(priorities: readonly PlannedPriority[]): Steps<Map<string, Map<string, Extension>>> {
  const contexts = new Map<string, Map<string, Extension>>();
  for (const [index, { context, extension, caller, priority, application, label }] of priorities.entries()) {
    if (index % COMPARED_IN_STEP === 0) yield;
    const name = shown(context);
    const extensions = contexts.get(name) ?? new Map<string, Extension>();
    contexts.set(name, extensions);
    const key = extensionKey(extension, caller);
    const known = extensions.get(key) ?? {
      name: shown(caller === undefined ? extension : `${extension}/${caller}`),
      lines: new Map<string, string>(),
    };
    extensions.set(key, known);
    const number = priority === HINT_PRIORITY ? 'hint' : String(priority);
    if (!known.lines.has(number)) known.lines.set(number, `${label ?? ''}\0${application}`);
  }
  return contexts;
}

function* compared(
  context: string,
  before: ReadonlyMap<string, Extension>,
  after: ReadonlyMap<string, Extension>,
): Steps<ContextChange> {
  const gained: string[] = [];
  const changed: string[] = [];
  const lost: string[] = [];
  let done = 0;
  for (const [key, { name, lines }] of after) {
    if (done++ % COMPARED_IN_STEP === 0) yield;
    const old = before.get(key)?.lines;
    for (const [number, text] of lines) {
      const was = old?.get(number);
      if (was === undefined) gained.push(`${name},${number}`);
      else if (was !== text) changed.push(`${name},${number}`);
    }
  }
  for (const [key, { name, lines }] of before) {
    if (done++ % COMPARED_IN_STEP === 0) yield;
    const left = after.get(key)?.lines;
    if (left === undefined) lost.push(`${name},*`);
    else for (const number of lines.keys()) if (!left.has(number)) lost.push(`${name},${number}`);
  }
  return { context, gained, changed, lost };
}
