import { stripBlanks } from './lines.ts';
import { shown } from './sections/sections.ts';

/** The priority field of an extension line: `1`, `n(label)`, `s+2`, `hint`, `label+101`. */
export type PriorityText =
  | {
      readonly kind: 'number';
      readonly number: number;
      readonly plus: number | undefined;
      readonly label: string | undefined;
    }
  | {
      readonly kind: 'label';
      readonly name: string;
      readonly plus: number | undefined;
      readonly label: string | undefined;
    }
  /** It refers to a previous priority, and this section has none. */
  | { readonly kind: 'leans'; readonly message: string }
  | { readonly kind: 'broken'; readonly message: string };

/** Asterisk's mark for 'no priority yet'; an offset can bring a priority below it. */
const NONE_BEFORE = -2;

/** Parses a priority. @param last the previous one in the section, whatever its extension */
export function readPriority(text: string, last: number | undefined): PriorityText {
  let rest = stripBlanks(text);
  let label: string | undefined;
  const open = rest.indexOf('(');
  if (open !== -1) {
    const close = rest.indexOf(')', open + 1);
    if (close === -1) {
      return {
        kind: 'broken',
        message: "The label of the priority has no closing ')': Asterisk drops the line.",
      };
    }
    label = rest.slice(open + 1, close);
    rest = rest.slice(0, open);
  }
  let plus: number | undefined;
  const sign = rest.indexOf('+');
  if (sign !== -1) {
    plus = leadingInteger(rest.slice(sign + 1)) ?? 0;
    rest = rest.slice(0, sign);
  }
  if (rest === '') {
    return { kind: 'broken', message: 'There is no priority after the extension: Asterisk drops the line.' };
  }
  if (rest === 'hint') return { kind: 'number', number: -1, plus, label };
  if (rest === 'n' || rest === 'next' || rest === 's' || rest === 'same') {
    if (last === undefined || last <= NONE_BEFORE) {
      return { kind: 'leans', message: `The priority '${rest}' has none before it in its section` };
    }
    return { kind: 'number', number: rest.startsWith('n') ? asInt32(last + 1) : last, plus, label };
  }
  const number = leadingInteger(rest);
  if (number === undefined) return { kind: 'label', name: rest, plus, label };
  if (number < 1) {
    return { kind: 'broken', message: `The priority ${shown(rest)} is below 1: Asterisk drops the line.` };
  }
  return { kind: 'number', number, plus, label };
}

/** Parses a number like C's sscanf: leading blanks and a sign are accepted, text after the digits is ignored. */
function leadingInteger(text: string): number | undefined {
  const digits = /^\s*([+-]?\d{1,29})/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  if (digits.length < 10) return Number(digits);
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  const exact = BigInt(digits.replace('+', ''));
  const clamped = exact < least ? least : exact > most ? most : exact;
  return Number(BigInt.asIntN(32, clamped));
}

/** Priorities are C's 32-bit integers, which wrap around. */
export function asInt32(number: number): number {
  return number | 0;
}
