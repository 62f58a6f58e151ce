/** A file or folder whose name starts with this is an override: it belongs to its host and is never synchronised. */
export const OVERRIDE_PREFIX = 'xds_override';

/**
 * The private folder in every synchronised directory, with staging and trash. It must be on the directory's own file
 * system, and its name begins with a dot because Asterisk reads all others.
 */
export const RESERVED_NAME = '.xivo-xds-sync';
