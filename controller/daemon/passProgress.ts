import type { CommandFigures } from '#protocol/messages/session.ts';
import type { Progress } from '#host/control/contract.ts';
import type { Clock } from '#host/time/clock.ts';
import { toGoOf } from '../conditions/toGo.ts';
import type { MdsStatus } from '../control/contract/contract.ts';

/** Interval of progress messages, milliseconds. */
const SHOW_EVERY = 500;

/** Shows the progress of a pass to a waiting person; costs nothing when there is none. */
export type ShowProgress = (progress: Progress) => void;

/**
 * Reports the progress of a pass at one MDS periodically: from the figures that the agent sends for the command, or
 * otherwise from what is still to be transferred.
 * @param read what is to be transferred now; undefined when it is not connected
 */
export async function whilePassing<T>(
  clock: Clock,
  options: {
    readonly mds: string;
    readonly doing: string;
    readonly show: ShowProgress;
    readonly read: () => Pick<MdsStatus, 'directories' | 'bytesPerSecond'> | undefined;
    /** The latest figures from the agent. */
    readonly figures: () => CommandFigures | undefined;
  },
  work: () => Promise<T>,
): Promise<T> {
  const most = { files: 0, bytes: 0 };
  let cancel = (): void => undefined;
  const look = (): void => {
    const { mds: host, doing, show } = options;
    const own = options.figures();
    const now = own === undefined ? options.read() : undefined;
    if (own !== undefined) show({ host, doing, ...own });
    else if (now !== undefined) {
      const { files, bytes } = toGoOf(now);
      // Work that is discovered meanwhile increases the total.
      most.files = Math.max(most.files, files);
      most.bytes = Math.max(most.bytes, bytes ?? 0);
      show({
        host,
        doing: files > 0 ? 'syncing' : doing,
        files: most.files - files,
        filesTotal: most.files,
        bytes: bytes === null ? 0 : most.bytes - bytes,
        bytesTotal: bytes === null ? null : most.bytes,
      });
    }
    cancel = clock.after(SHOW_EVERY, look);
  };
  look();
  try {
    return await work();
  } finally {
    cancel();
    options.show({
      host: options.mds,
      doing: 'done',
      files: 0,
      filesTotal: null,
      bytes: 0,
      bytesTotal: null,
    });
  }
}
