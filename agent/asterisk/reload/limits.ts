/** A reload of 10,000 extensions takes 0.3 s; one that runs `#exec` programs takes longer. Milliseconds. */
export const ANSWER_TIMEOUT_MS = 20_000;

/** `asterisk -rx` does not end when told to while its Asterisk hangs; then it is killed. Milliseconds. */
export const KILL_AFTER_MS = 300;

/** What is kept of a command's output. Bytes. */
export const OUTPUT_LIMIT = 64 * 1024;

/** Asterisk that reloads already is done within a moment; this is how long until it is asked again. Milliseconds. */
export const BUSY_RETRY_MS = 400;

/** After so many "already in progress" in a row, Asterisk counts as not answering. */
export const BUSY_TRIES = 15;

/** The first and the longest pause before an owed reload is tried again. Milliseconds. */
export const FIRST_RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 30_000;

/** What is kept of `dialplan show`: 10,000 extensions are 1.6 MB. A plan that was cut is not judged. Bytes. */
export const SHOW_LIMIT = 32 * 1024 * 1024;

/** How long Asterisk may take to tell where it logs; without that the proof has one witness less. Milliseconds. */
export const LOG_QUESTION_TIMEOUT_MS = 1_500;
