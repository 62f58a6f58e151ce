import { fillIn } from '#core/text/fillIn.ts';
import { en, fr, type MessageKey } from './messages.ts';

export const LANGUAGE: 'en' | 'fr' = navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
const CATALOGUE = LANGUAGE === 'fr' ? fr : en;

/** A text of the catalogue in the browser's language. */
export function t(key: MessageKey, values: Readonly<Record<string, string | number>> = {}): string {
  return fillIn(CATALOGUE[key], values);
}

/** True for a key of the catalogue. */
export function isMessage(key: string): key is MessageKey {
  return Object.hasOwn(CATALOGUE, key);
}
