import type { Place } from '../finding.ts';

/** A `name = value` line, or one that a section inherits from its template. */
export type Setting = {
  readonly place: Place;
  readonly name: string;
  value: string;
  /** True after a line at which Asterisk gave up. */
  readonly unread: boolean;
};

/** A `[section]`. */
export type Section = {
  readonly name: string;
  /** The place of its header; undefined for one that began before the known files. */
  readonly place: Place | undefined;
  isTemplate: boolean;
  /** True when it began before the known files, so that its earlier lines are unknown. */
  readonly outside: boolean;
  /** True when unknown content may have added lines to it. */
  mixed: boolean;
  /** True after a line at which Asterisk gave up. */
  readonly unread: boolean;
  readonly settings: Setting[];
};
