/** Exit codes of all programs of this project; part of the stable surface. */
export const EXIT = {
  /** Done, and everything converged. */
  done: 0,
  /** Done, but something failed or an MDS is behind; its name was printed. */
  failed: 1,
  /** Wrong usage or configuration; the option, or file, line and key, was printed. */
  usage: 2,
  /** The daemon is not running; how to start it was printed. */
  notRunning: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
