import { extensionKey } from './extensionKey.ts';
import type { Findings, Place } from './finding.ts';
import { shown } from './sections/sections.ts';

/** A priority that Asterisk registers, with the line that defines it. */
export type PlannedPriority = {
  readonly place: Place;
  readonly context: string;
  readonly extension: string;
  readonly caller: string | undefined;
  readonly priority: number;
  readonly label: string | undefined;
  /** The text in `dialplan show`, as `1. NoOp(x)`; undefined where only Asterisk knows it. */
  readonly shown: string | undefined;
  /** The application with its arguments, as `NoOp(x)`. */
  readonly application: string;
  /** True after a line at which Asterisk gave up. */
  readonly unread: boolean;
};

/** Asterisk's number for the priority of a hint. */
export const HINT_PRIORITY = -1;

type Extension = { readonly taken: Map<number, PlannedPriority>; readonly labels: Map<string, number> };

type Context = {
  readonly extensions: Map<string, Extension>;
  readonly labelNames: Set<string>;
  /** True after a line whose extension only Asterisk knows; it may have taken the place of any later line. */
  isUnsure: boolean;
};

/** The priorities registered so far; the first line for a priority wins, in whichever file it is. */
export class Plan {
  readonly priorities: PlannedPriority[] = [];
  /** True when no other sections exist. */
  readonly isAll: boolean;
  readonly #findings: Findings;
  readonly #contexts = new Map<string, Context>();
  /** The extension of the last line: mostly that of the next one, too. */
  #last:
    | {
        readonly context: string;
        readonly extension: string;
        readonly caller: string | undefined;
        readonly is: Extension;
      }
    | undefined;

  constructor(findings: Findings, isAll: boolean) {
    this.#findings = findings;
    this.isAll = isAll;
  }

  add(priority: PlannedPriority): void {
    const context = this.#context(priority.context);
    // Only Asterisk knows the value of a variable in the name.
    const isAnyExtension = hasVariable(priority.extension) || hasVariable(priority.caller ?? '');
    if (isAnyExtension || (priority.shown === undefined && !isHint(priority))) {
      context.isUnsure = true;
      if (priority.label !== undefined) context.labelNames.add(priority.label);
      this.priorities.push({ ...priority, shown: undefined });
      return;
    }
    const known = context.isUnsure ? { ...priority, shown: undefined } : priority;
    const extension = this.#extension(priority);
    const first = extension.taken.get(priority.priority);
    if (first !== undefined && (priority.unread || !first.unread)) {
      this.#notTwice(first, priority);
      return;
    }
    extension.taken.set(priority.priority, known);
    this.priorities.push(known);
    this.#takeLabel(context, extension, known);
  }

  labelled(
    context: string,
    extension: string,
    caller: string | undefined,
    label: string,
  ): number | undefined {
    const { extensions } = this.#context(context);
    return extensions.get(extensionKey(extension, caller))?.labels.get(label);
  }

  knowsLabel(context: string, label: string): boolean {
    return this.#context(context).labelNames.has(label);
  }

  #notTwice(first: PlannedPriority, priority: PlannedPriority): void {
    // The line of a template, read for a further section that uses it.
    if (first.place === priority.place) return;
    if (first.place.path === priority.place.path && first.place.line === priority.place.line) {
      this.#findings.warning(
        priority.place,
        'The file is read more than once: Asterisk drops this line after the first time.',
      );
      return;
    }
    this.#findings.error(
      priority.place,
      `${named(priority)} is defined in ${first.place.path} line ${String(first.place.line)} already: Asterisk drops this one.`,
      first.place.path,
    );
  }

  #takeLabel(
    { labelNames }: Context,
    { labels }: Extension,
    { place, label, priority }: PlannedPriority,
  ): void {
    if (label === undefined || label === '') return;
    if (labels.has(label)) {
      this.#findings.warning(
        place,
        `The label '${shown(label)}' is taken by an earlier priority of this extension: Asterisk leaves it off here.`,
      );
      return;
    }
    labels.set(label, priority);
    labelNames.add(label);
  }

  #context(name: string): Context {
    let context = this.#contexts.get(name);
    if (context === undefined) {
      context = { extensions: new Map(), labelNames: new Set(), isUnsure: false };
      this.#contexts.set(name, context);
    }
    return context;
  }

  #extension({ context, extension, caller }: PlannedPriority): Extension {
    const last = this.#last;
    if (last?.context === context && last.extension === extension && last.caller === caller) return last.is;
    const { extensions } = this.#context(context);
    const key = extensionKey(extension, caller);
    const is = extensions.get(key) ?? {
      taken: new Map<number, PlannedPriority>(),
      labels: new Map<string, number>(),
    };
    extensions.set(key, is);
    this.#last = { context, extension, caller, is };
    return is;
  }
}

/** True for text with a variable or an expression, whose value only Asterisk knows. */
export function hasVariable(text: string): boolean {
  return /\$[{[]/.test(text);
}

function isHint({ priority }: PlannedPriority): boolean {
  return priority === HINT_PRIORITY;
}

function named({ context, extension, caller, priority }: PlannedPriority): string {
  const number = priority === HINT_PRIORITY ? 'hint' : String(priority);
  return shown(`${extension}${caller === undefined ? '' : `/${caller}`},${number} of [${context}]`);
}
