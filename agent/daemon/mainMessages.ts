import type { FromMain } from '#protocol/messages/session.ts';
import type { AgentDirectory } from '../directory/agentDirectory.ts';
import type { DaemonHandlers } from '../connection/agentSession.ts';
import type { MainTrust } from './mainTrust.ts';

export type MainMessagesOptions = {
  readonly directories: ReadonlyMap<string, AgentDirectory>;
  readonly trust: Pick<MainTrust, 'hear'>;
  /** Carries out a command of Main and answers it. */
  readonly onCommand: (command: Extract<FromMain, { type: 'command' }>) => void;
};

/** The handlers of Main's messages that concern the directories and the daemon. */
export function mainMessages({ directories, trust, onCommand }: MainMessagesOptions): DaemonHandlers {
  /** A directory that this host does not know gets nothing, because its manifest was never requested. */
  const about =
    <Message extends { readonly directory: string }>(
      handle: (directory: AgentDirectory, message: Message) => void,
    ): ((message: Message) => void) =>
    (message) => {
      const directory = directories.get(message.directory);
      if (directory !== undefined) handle(directory, message);
    };
  /** Main's state as of a message is remembered first. */
  const withSequence =
    <Message extends { readonly sequence: number }>(
      handle: (message: Message) => void,
    ): ((message: Message) => void) =>
    (message) => {
      trust.hear(message.sequence);
      handle(message);
    };
  return {
    'manifest-begin': about(({ manifest }, message) => manifest.begin(message)),
    'manifest-page': about(({ manifest }, message) => manifest.page(message)),
    'manifest-end': withSequence(about(({ manifest }, message) => manifest.end(message))),
    changes: withSequence(about(({ manifest }, message) => manifest.change(message))),
    'folder-renamed': about(({ manifest }, message) => manifest.renamed.take(message)),
    check: withSequence(about(({ manifest }, message) => manifest.check(message))),
    paused: ({ paused }) => {
      for (const directory of directories.values()) directory.pause(paused);
    },
    command: onCommand,
  };
}
