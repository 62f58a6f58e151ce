import { agentConfigText, controllerConfigText } from '#host/config/defaultText.ts';

export type PackageDescription = {
  readonly name: 'xivo-xds-sync' | 'xivo-xds-sync-agent';
  /** The program's first module. */
  readonly entry: string;
  readonly units: readonly string[];
  readonly synopsis: string;
  /** Paragraphs of the long description. */
  readonly description: readonly string[];
  /** The file below /etc/xivo-xds-sync, and what it says at first. */
  readonly configuration: { readonly name: string; readonly text: string; readonly mode: number };
};

const WHAT = `Files that have to be equal on all servers of a XiVO in XDS layout
 (dialplan, music on hold, sounds, recordings) are kept so over one
 connection from each media server (MDS) to Main.`;

/** What is installed on each MDS, and what on Main, which holds the other to give it away. */
export const PACKAGES: readonly PackageDescription[] = [
  {
    name: 'xivo-xds-sync-agent',
    entry: 'agent/main.ts',
    units: [
      'xivo-xds-sync-agent.service',
      'xivo-xds-sync-agent-upgrade.path',
      'xivo-xds-sync-agent-upgrade.service',
    ],
    synopsis: 'live file synchronisation of a XiVO: agent for a media server',
    description: [
      WHAT,
      'This package is for a media server. mds_install.sh, which lies in\n /usr/share/xivo-xds-sync-agent, makes this host one of a Main.',
    ],
    configuration: { name: 'agent.yml', text: agentConfigText(), mode: 0o640 },
  },
  {
    name: 'xivo-xds-sync',
    entry: 'controller/main.ts',
    units: ['xivo-xds-sync.service'],
    synopsis: 'live file synchronisation of a XiVO: controller for Main',
    description: [
      WHAT,
      'This package is for Main: the controller, and the command that shows\n and steers all. After installing it, run "xivo-xds-sync -i".',
    ],
    configuration: { name: 'controller.yml', text: controllerConfigText(), mode: 0o640 },
  },
];
