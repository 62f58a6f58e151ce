/** A reload of 10,000 extensions takes 0.3 s; one that runs `#exec` programs takes longer. Milliseconds. */
export const ANSWER_TIMEOUT_MS = 20_000;

/** `asterisk -rx` ignores SIGTERM while its Asterisk hangs; it is killed after this time. Milliseconds. */
export const KILL_AFTER_MS = 300;

/** Most output of a command that is kept. Bytes. */
export const OUTPUT_LIMIT = 64 * 1024;

/** Delay before a reload is requested again while another one is running. Milliseconds. */
export const BUSY_RETRY_MS = 400;

/** Number of successive "already in progress" answers after which Asterisk counts as not answering. */
export const BUSY_TRIES = 15;

/** The first and the longest delay before a pending reload is retried. Milliseconds. */
export const FIRST_RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 30_000;

/** Most output of `dialplan show` that is kept: 10,000 extensions are 1.6 MB. A truncated dialplan is not judged. Bytes. */
export const SHOW_LIMIT = 32 * 1024 * 1024;

/** Timeout for asking Asterisk for its log folder; without it the proof lacks the log. Milliseconds. */
export const LOG_QUESTION_TIMEOUT_MS = 1_500;
