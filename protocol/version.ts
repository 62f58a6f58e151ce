/** The protocol this program speaks. N and N-1 understand each other. */
export const PROTOCOL = { oldest: 1, newest: 1 } as const;

export type ProtocolRange = { readonly oldest: number; readonly newest: number };

/**
 * The newest version that both sides speak.
 * @returns what to do about it when there is none
 */
export function negotiate(
  main: ProtocolRange,
  agent: ProtocolRange,
): { version: number } | { refusal: string } {
  const version = Math.min(main.newest, agent.newest);
  if (version >= Math.max(main.oldest, agent.oldest)) return { version };
  const older = agent.newest < main.oldest ? 'the agent on this MDS' : 'xivo-xds-sync on Main';
  return {
    refusal: `Main speaks protocol ${main.oldest} to ${main.newest}, this agent ${agent.oldest} to ${agent.newest}: upgrade ${older}`,
  };
}
