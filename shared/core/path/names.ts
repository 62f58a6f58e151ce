/** A file or folder whose own name starts with this belongs to its host alone. */
export const OVERRIDE_PREFIX = 'xds_override';

/**
 * Our own folder in every synchronised directory: staging and trash. It must lie on the directory's file
 * system, and Asterisk reads every name that does not begin with a dot.
 */
export const RESERVED_NAME = '.xivo-xds-sync';
