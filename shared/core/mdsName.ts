const MDS_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Describes valid MDS names, for messages. */
export const MDS_NAME_RULE =
  'an MDS name has 1 to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or digit';

/** Whether a text is a valid MDS name: safe in a path, a certificate and a log line. */
export function isMdsName(text: string): boolean {
  return MDS_NAME.test(text);
}
