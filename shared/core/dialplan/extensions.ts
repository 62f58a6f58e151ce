import type { Findings, Place } from './finding.ts';
import { shrunkNumber, splitAtComma, splitExtension, withoutBlanks } from './extenLine.ts';
import { asInt32, readPriority } from './priority.ts';
import { hasVariable, HINT_PRIORITY, Plan, type PlannedPriority } from './registered.ts';
import type { Section, Setting } from './sections/section.ts';
import { shown } from './sections/sections.ts';
import type { Steps } from '../steps.ts';

/** Bytes that Asterisk keeps of an extension. */
const LONGEST_EXTENSION = 255;

/** Lines that are read in one step. */
const LINES_OF_STEP = 64;

/**
 * Reads sections as dialplan: the priorities that Asterisk would register, and findings about lines that it would not.
 * @param isAll true when no other sections exist
 */
export function* readExtensions(
  sections: readonly Section[],
  findings: Findings,
  isAll: boolean,
): Steps<PlannedPriority[]> {
  const plan = new Plan(findings, isAll);
  for (const section of sections) {
    if (section.isTemplate || (section.outside && section.name === '')) continue;
    if (/^(?:general|globals)$/i.test(section.name)) continue;
    yield* readContext(section, plan, findings);
  }
  return plan.priorities;
}

/** The previous priority: `n` and `same` refer to the previous line of the same section, whatever its extension. */
type Cursor = {
  extension: string | undefined;
  priority: number | undefined;
  /** True when only Asterisk knows the previous priority. */
  isUnknown: boolean;
};

function* readContext(section: Section, plan: Plan, findings: Findings): Steps<void> {
  const cursor: Cursor = { extension: undefined, priority: undefined, isUnknown: false };
  const leanless = (place: Place, message: string): void => {
    if (isUnsure(section))
      findings.warning(place, `${message}, unless something outside this folder comes before it.`);
    else findings.error(place, `${message}: Asterisk drops it.`);
  };
  for (const [number, setting] of section.settings.entries()) {
    if (number % LINES_OF_STEP === 0) yield;
    const name = setting.name.toLowerCase();
    if (name.startsWith('same')) {
      if (cursor.extension === undefined)
        leanless(setting.place, "'same' has no extension before it in its section");
      else readExten(section, setting, cursor.extension, setting.value, cursor, plan, findings, leanless);
    } else if (name === 'exten') {
      const { head, rest } = splitExtension(setting.value);
      cursor.extension = head === '' ? undefined : head;
      readExten(section, setting, head, rest, cursor, plan, findings, leanless);
    } else if (!OTHER_NAMES.has(name) && !findings.isFull(setting.place.path)) {
      findings.error(
        setting.place,
        `'${shown(setting.name)}' means nothing in a context (exten, same, include, switch, ignorepat, autohints do): Asterisk drops the line.`,
      );
    }
  }
}

/** True when unknown lines may stand between these. */
function isUnsure({ outside, mixed }: Section): boolean {
  return outside || mixed;
}

const OTHER_NAMES = new Set(['include', 'ignorepat', 'switch', 'lswitch', 'eswitch', 'autohints']);

function readExten(
  section: Section,
  { place, unread }: Setting,
  extension: string,
  rest: string | undefined,
  cursor: Cursor,
  plan: Plan,
  findings: Findings,
  leanless: (place: Place, message: string) => void,
): void {
  const [name = '', ...callers] = extension.split('/');
  const caller = callers.length > 0 ? shrunkNumber(callers.join('/')) : undefined;
  const { head, rest: application } = splitAtComma(rest);
  const read = readPriority(head, cursor.priority);
  if (read.kind === 'broken') {
    findings.error(place, read.message);
    return;
  }
  if (read.kind === 'leans') {
    leanless(place, read.message);
    return;
  }
  let number = read.kind === 'number' ? read.number : plan.labelled(section.name, name, caller, read.name);
  if (read.kind === 'label' && number === undefined) {
    const isCertain = !isUnsure(section) && (plan.isAll || (!hasVariable(name) && read.plus === undefined));
    if (hasVariable(read.name)) {
      findings.error(
        place,
        `'${shown(read.name)}' is not a priority: Asterisk does not expand variables there, and drops the line.`,
      );
    } else if (!isCertain || plan.knowsLabel(section.name, read.name)) {
      findings.warning(
        place,
        `The label '${shown(read.name)}' is not defined before: Asterisk may drop the line.`,
      );
      // If it finds the label (another extension's pattern may fit), what follows counts from there.
      cursor.priority ??= 0;
      cursor.isUnknown = true;
    } else {
      findings.error(
        place,
        `'${shown(read.name)}' is not a priority (a number, n, hint or a label): Asterisk drops the line.`,
      );
    }
    return;
  }
  number ??= 0;
  if (number === 0) {
    findings.error(place, "'n' right after a hint counts as priority 0: Asterisk drops the line.");
    return;
  }
  number = asInt32(number + (read.plus ?? 0));
  cursor.priority = number;
  const isRelative = read.kind === 'label' || /^\s*[ns]/.test(head);
  cursor.isUnknown = isRelative && (cursor.isUnknown || isUnsure(section));
  if (name === '') {
    findings.error(place, 'There is no extension before the priority: Asterisk drops the line.');
    return;
  }
  if (/^_[^[]*(?:\[[^\]]*\][^[]*)*\[[^\]]*$/.test(name)) {
    findings.warning(
      place,
      `The set of characters in '${shown(name)}' is not closed: this pattern will not match as meant.`,
    );
  }
  const { app, data } = readApplication(application ?? '', place, findings);
  plan.add({
    place,
    context: section.name,
    extension: withoutBlanks(name.slice(0, LONGEST_EXTENSION)),
    caller,
    priority: number,
    label: read.label,
    shown: cursor.isUnknown ? undefined : shownAs(number, app, data),
    application: data === '' && !(application ?? '').includes('(') ? app : `${app}(${data})`,
    unread: section.unread || unread,
  });
}

/** The application as Asterisk stores it: its arguments end at the last closing parenthesis. */
function readApplication(text: string, place: Place, findings: Findings): { app: string; data: string } {
  const trimmed = text.replace(/^[\0- ]+/, '');
  const open = trimmed.indexOf('(');
  if (open === -1) {
    if (trimmed === '')
      findings.warning(place, 'There is no application: a call that comes here does nothing.');
    return { app: trimmed, data: '' };
  }
  const app = trimmed.slice(0, open);
  // A variable before the parenthesis makes the whole text the application, as in the hint SIP/${X(1)}.
  if (app.includes('${') || app.includes('$[')) return { app: trimmed, data: '' };
  const close = trimmed.lastIndexOf(')');
  if (close <= open) {
    findings.warning(place, `The application ${shown(app)} has no closing ')': the line may have been cut.`);
    return { app, data: trimmed.slice(open + 1) };
  }
  return { app, data: trimmed.slice(open + 1, close) };
}

function shownAs(priority: number, app: string, data: string): string | undefined {
  if (priority !== HINT_PRIORITY) return `${String(priority)}. ${app}(${data})`;
  return app.includes('${') ? undefined : `hint: ${app}`;
}
