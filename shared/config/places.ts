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
  /** What the web server of a XiVO gives away to MDS. */
  readonly publishedFolder: string;
  /** What `xivo-xds-sync -i` of the old rsync program left; each may be absent. */
  readonly oldCronFile: string;
  readonly oldPublishedKey: string;
};

/** Main's places. */
export function controllerPlaces(root: Root): ControllerPlaces {
  return {
    ...places(root, 'controller'),
    publishedFolder: root.path('/usr/share/xivo-certs'),
    oldCronFile: root.path('/etc/cron.d/xivo-xds-sync'),
    oldPublishedKey: root.path('/usr/share/xivo-certs/rsync_xds.pub'),
  };
}

/** An MDS's places. */
export function agentPlaces(root: Root): Places {
  return places(root, 'agent');
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
