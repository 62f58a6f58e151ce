import { mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { eventually } from '../../support/harness/host.ts';
import type { Contestant, Layout, Pair } from '../contestant.ts';
import { freePort } from '../../support/harness/freePort.ts';
import { makePairFolders } from './pairFolders.ts';
import { Started } from '../processes.ts';
import { firstLineOf } from './versions.ts';

const SETUP_LIMIT = 300_000;
const API_KEY = 'bench';
/** Seconds for which it collects events: the least that its whole-number setting takes, its default is 10. */
const WATCHER_DELAY = 1;

/** Two private syncthing, one sending and one receiving. The first runs and has scanned before the second starts. */
export const syncthing: Contestant = {
  name: `syncthing, fsWatcherDelayS ${WATCHER_DELAY}`,
  needs: { syncthing: 'syncthing' },
  version: () => firstLineOf('syncthing', ['--version']),
  kind: 'competitor',
  comparesPasses: true,
  liveChanges: 30,
  hasCommand: false,
  lay,
};

type Instance = {
  readonly home: string;
  readonly id: string;
  readonly syncPort: number;
  readonly apiPort: number;
};

async function lay(layout: Layout): Promise<Pair> {
  const { source, target, outbox } = makePairFolders(layout);
  const [sender, receiver] = [
    await makeInstance(path.join(layout.folder, 'sender')),
    await makeInstance(path.join(layout.folder, 'receiver')),
  ];
  configure(sender, receiver, source, 'sendonly');
  configure(receiver, sender, target, 'receiveonly');
  const sending = start(sender);
  let receiving: Started | undefined;
  try {
    await eventually(
      'syncthing has scanned',
      async () => {
        if (!sending.isRunning) throw new Error(`syncthing ended: ${sending.output.slice(-500)}`);
        return (await scannedFiles(sender)) === layout.files;
      },
      SETUP_LIMIT,
    );
  } catch (error) {
    await sending.end();
    throw error;
  }
  return {
    source,
    target,
    outbox,
    roots: () => [
      { role: 'sender', pid: sending.pid },
      ...(receiving === undefined ? [] : [{ role: 'receiver', pid: receiving.pid }]),
    ],
    start: () => {
      receiving = start(receiver);
      return Promise.resolve();
    },
    end: async () => {
      await receiving?.end();
      await sending.end();
    },
  };
}

async function makeInstance(home: string): Promise<Instance> {
  const options = { encoding: 'utf8', env: environment(home), timeout: 30_000, stdio: 'pipe' } as const;
  mkdirSync(home, { recursive: true });
  execFileSync('syncthing', ['generate', `--home=${home}`], options);
  const id = execFileSync('syncthing', ['serve', '--device-id', `--home=${home}`], options).trim();
  return { home, id, syncPort: await freePort(), apiPort: await freePort() };
}

function environment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: home, STNODEFAULTFOLDER: '1', STNOUPGRADE: '1' };
}

function start({ home }: Instance): Started {
  return new Started('syncthing', ['serve', `--home=${home}`, '--no-browser', '--no-restart'], {
    log: `${home}.log`,
    env: { HOME: home, STNOUPGRADE: '1' },
  });
}

/** Only loopback, and no contact with other hosts; its other settings are its defaults. */
function configure(self: Instance, other: Instance, folder: string, type: string): void {
  // Without its marker a folder counts as not mounted.
  mkdirSync(path.join(folder, '.stfolder'), { recursive: true });
  const device = ({ id, syncPort }: Instance): string =>
    `  <device id="${id}" name="${id}"><address>tcp://127.0.0.1:${syncPort}</address></device>\n`;
  writeFileSync(
    path.join(self.home, 'config.xml'),
    `<configuration version="36">
  <folder id="bench" path="${folder}" type="${type}" fsWatcherEnabled="true" fsWatcherDelayS="${WATCHER_DELAY}" rescanIntervalS="3600">
    <device id="${self.id}"/><device id="${other.id}"/>
  </folder>
${device(self)}${device(other)}  <gui enabled="true" tls="false"><address>127.0.0.1:${self.apiPort}</address><apikey>${API_KEY}</apikey></gui>
  <options>
    <listenAddress>tcp://127.0.0.1:${self.syncPort}</listenAddress>
    <globalAnnounceEnabled>false</globalAnnounceEnabled>
    <localAnnounceEnabled>false</localAnnounceEnabled>
    <relaysEnabled>false</relaysEnabled>
    <natEnabled>false</natEnabled>
    <stunKeepaliveStartS>0</stunKeepaliveStartS>
    <announceLANAddresses>false</announceLANAddresses>
    <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
    <urAccepted>-1</urAccepted>
    <crashReportingEnabled>false</crashReportingEnabled>
    <startBrowser>false</startBrowser>
    <setLowPriority>false</setLowPriority>
  </options>
</configuration>
`,
  );
}

/** How many files an instance knows, -1 while it does not answer or still scans. */
async function scannedFiles({ apiPort }: Instance): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${apiPort}/rest/db/status?folder=bench`, {
      headers: { 'X-API-Key': API_KEY },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) return -1;
    const { state, localFiles } = (await response.json()) as { state: string; localFiles: number };
    return state === 'idle' ? localFiles : -1;
  } catch {
    // It is still starting; whether it ended is looked at by who waits.
    return -1;
  }
}
