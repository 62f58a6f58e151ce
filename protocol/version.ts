/** The protocol this program speaks. N and N-1 understand each other. */
export const PROTOCOL = { oldest: 1, newest: 1 } as const;

export type ProtocolRange = { readonly oldest: number; readonly newest: number };

/**
 * The newest version that both sides speak.
 * @returns the remedy, for people, when there is none
 */
export function negotiate(
  main: ProtocolRange,
  agent: ProtocolRange,
): { version: number } | { refusal: string } {
  const version = Math.min(main.newest, agent.newest);
  if (version >= Math.max(main.oldest, agent.oldest)) return { version };
  const remedy =
    agent.newest < main.oldest
      ? 'upgrade the agent on this MDS: run mds_install.sh there again, which fetches the one of Main'
      : "upgrade Main: install the package xivo-xds-sync of the agent's version there";
  return {
    refusal: `Main speaks protocol ${main.oldest} to ${main.newest}, this agent ${agent.oldest} to ${agent.newest}: ${remedy}`,
  };
}
