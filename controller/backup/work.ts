/** What a backup, and the reading of one, are handed by the command. */
export type BackupWork = {
  /** Ends the work, which then leaves nothing behind. */
  readonly signal: AbortSignal;
  /**
   * Called often while the work goes on.
   * @param doing the current step
   * @param bytesTotal of this step; null when unknown
   */
  readonly progress: (doing: string, bytes: number, bytesTotal: number | null) => void;
  /** The same, before a step during which nothing else can happen in this process. */
  readonly progressNow: (doing: string, bytes: number, bytesTotal: number | null) => void;
};
