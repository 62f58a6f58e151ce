import type { Root } from './rootPath.ts';

/** Every fixed path of one program on its host, the --root prefix included. */
export type Places = {
  readonly configFile: string;
  readonly stateFolder: string;
  /** Key pair and certificate. */
  readonly identityFolder: string;
  readonly stateFile: string;
  readonly controlSocket: string;
};

export type ControllerPlaces = Places & {
  /** Socket that answers only `status`, for the members of a group. */
  readonly statusSocket: string;
  /** Folder that a XiVO's web server publishes to MDS. */
  readonly publishedFolder: string;
  /** Files that the old rsync program's `-i` left; each may be absent. */
  readonly oldCronFile: string;
  readonly oldPublishedKey: string;
};

export type AgentPlaces = Places & {
  /** Inbox for a package that Main offered, written by the agent. */
  readonly upgradeInbox: string;
  /** The installer's folder: the agent's unit can read it but not write to it. */
  readonly installerFolder: string;
  /** Process id of an agent that mds_install.sh started without systemd. */
  readonly pidFile: string;
};

/** Main's places. */
export function controllerPlaces(root: Root): ControllerPlaces {
  return {
    ...places(root, 'controller'),
    statusSocket: root.path('/run/xivo-xds-sync/status.sock'),
    publishedFolder: root.path('/usr/share/xivo-certs'),
    oldCronFile: root.path('/etc/cron.d/xivo-xds-sync'),
    oldPublishedKey: root.path('/usr/share/xivo-certs/rsync_xds.pub'),
  };
}

/** An MDS's places. */
export function agentPlaces(root: Root): AgentPlaces {
  const common = places(root, 'agent');
  return {
    ...common,
    upgradeInbox: `${common.stateFolder}/upgrade`,
    installerFolder: root.path('/var/lib/xivo-xds-sync-upgrade'),
    pidFile: root.path('/run/xivo-xds-sync/agent.pid'),
  };
}

function places(root: Root, program: 'controller' | 'agent'): Places {
  const stateFolder = root.path('/var/lib/xivo-xds-sync');
  return {
    configFile: root.path(`/etc/xivo-xds-sync/${program}.yml`),
    stateFolder,
    identityFolder: `${stateFolder}/identity`,
    stateFile: `${stateFolder}/state.sqlite`,
    controlSocket: root.path(`/run/xivo-xds-sync/${program}.sock`),
  };
}
