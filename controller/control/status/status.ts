import { MAX_MANIFEST_ENTRIES } from '#protocol/limits.ts';
import { enrolmentFingerprint } from '#host/identity/enrolmentFingerprint.ts';
import { formatFingerprint } from '#host/identity/pin.ts';
import { formatHostPort } from '#host/config/hostPort.ts';
import { VERSION } from '#host/version.ts';
import { lastSetAside, setAsideAlarm } from '#sync/state/stateFile.ts';
import type { MainDirectory } from '../../directories/mainDirectory.ts';
import type { ControllerSession } from '../../sessions/controllerSession.ts';
import type { Alarm } from '../../daemon/alarms.ts';
import type { Controller } from '../../daemon/controller.ts';
import { causesOf } from '../../conditions/causes.ts';
import { conditionsOf } from '../../conditions/conditionsOf.ts';
import { directoryStatus } from './directoryStatus.ts';
import { comparedWithList, neverEnrolled } from '../listed.ts';
import type { Facts, MdsState, MdsStatus, RotationStatus, Status } from '../contract/contract.ts';
import { requireMds } from '../known.ts';

/** Most paths listed that Main can't read or does not send. */
const MAX_SKIPPED = 100;
/** Most files per directory listed that Asterisk can't play or does not accept. */
const MAX_WARNINGS = 1_000;

/** The status of Main and every MDS (or one, with its causes), as `status --json` prints it. */
export function statusOf(controller: Controller, only?: string): Status {
  requireMds(controller, only);
  const all = everything(controller);
  if (only === undefined) return all;
  return {
    ...all,
    mds: all.mds.filter(({ name }) => name === only),
    causes: all.causes.filter(({ mds }) => mds.length === 0 || mds.includes(only)),
  };
}

function everything(controller: Controller): Status {
  const facts = factsOf(controller);
  const now = controller.clock.now();
  const { certificates } = controller.config;
  const conditions = conditionsOf(facts, { now, certificateLifeMs: certificates.lifeMs });
  const lastSeen = [...controller.sessions.lastSeen].map(
    ([mds, { at }]) => [`away\u0000${mds}`, at] as const,
  );
  controller.conditions.update(conditions, now, new Map([...lastSeen, ...controller.holdStarts.known]));
  controller.holdStarts.update(controller.conditions.standing, facts);
  const causes = causesOf(controller.conditions.standing).map((cause) => ({
    ...cause,
    since: new Date(cause.since).toISOString(),
  }));
  return { ...facts, causes };
}

function factsOf(controller: Controller): Facts {
  const { config, servicePort, registry } = controller;
  const { agents, pending, revoked } = registry.list();
  const known = new Set([...agents, ...pending].map(({ name }) => name));
  const directories = [...controller.directories.values()].map(mainDirectoryStatus);
  return {
    version: VERSION,
    main: {
      listen: formatHostPort({ host: config.listen.host, port: servicePort.number }),
      fingerprint: formatFingerprint(servicePort.identity.pin),
      startedAt: new Date(controller.startedAt).toISOString(),
      pausedUntil: controller.pause.isOn ? new Date(controller.pause.until).toISOString() : null,
      directories,
      alarms: [...setAside(controller), ...controller.alarms.list],
      warnings: directories.flatMap(withDirectory),
      errors: mainErrors(controller),
      mediaServers: {
        source: config.mediaServers.source,
        problem: controller.mediaServers.problem ?? null,
      },
      rotation: rotationOf(controller),
    },
    mds: [
      ...agents.map(({ name, voipIp, certificateNotAfter }) =>
        comparedWithList(
          {
            ...timed(controller, agentStatus(controller, name, voipIp ?? null)),
            certificateNotAfter:
              certificateNotAfter === undefined ? null : new Date(certificateNotAfter).toISOString(),
          },
          controller.mediaServers,
          controller.clock.now(),
        ),
      ),
      ...pending.map(({ name, address, pin }) => ({
        ...absent(name, 'pending', address),
        fingerprint: enrolmentFingerprint({ mainPin: servicePort.identity.pin, agentPin: pin }),
      })),
      ...revoked
        .filter(({ name }, i) => !known.has(name) && revoked.findIndex((other) => other.name === name) === i)
        .map(({ name }) => absent(name, 'revoked', null)),
      ...neverEnrolled(controller.mediaServers, registry).map(({ name, voipIp }) => ({
        ...absent(name, 'never-enrolled', null),
        voipIp,
      })),
    ],
  };
}

function setAside({ db }: Controller): Alarm[] {
  const aside = lastSetAside(db.file);
  return aside === undefined ? [] : [setAsideAlarm(aside)];
}

/** Conditions are examined every second, so a list of very many is not copied. */
function firstOf<T>(all: Iterable<T>, most: number): T[] {
  return Iterator.from(all).take(most).toArray();
}

function mainErrors({
  keeper,
  rotation,
  directories,
  clock,
  unknownCanaries,
}: Controller): Status['main']['errors'] {
  const at = new Date(clock.now()).toISOString();
  const unread = [...directories.values()].flatMap(({ name, replica }) =>
    replica.trouble === undefined
      ? []
      : [{ at, path: name, message: `${replica.path} can't be read: ${replica.trouble}` }],
  );
  const tooLarge = [...directories.values()].flatMap(({ name, replica, isTooLarge, manifest }) =>
    isTooLarge ? [{ at, path: name, message: tooLargeWords(replica.path, manifest.size) }] : [],
  );
  const canaries = unknownCanaries.map((name) => ({
    at,
    path: 'canary',
    message: `there is no MDS "${name}", so no MDS waits for it: correct "canary" in controller.yml`,
  }));
  return [
    ...canaries,
    ...(keeper.trouble ? [keeper.trouble] : []),
    ...rotation.troubles,
    ...unread,
    ...tooLarge,
  ];
}

function tooLargeWords(path: string, size: number): string {
  const [found, most] = [size, MAX_MANIFEST_ENTRIES].map((count) => count.toLocaleString('en'));
  return `${path} holds more files and folders than can be synchronised, ${found} of at most ${most}: nothing new of it travels until some are removed or stored elsewhere`;
}

/** The key change in progress, or null. */
export function rotationOf({ rotation }: Controller): RotationStatus | null {
  if (rotation.nextPin === undefined) return null;
  const { nextPin, stragglers, unapproved } = rotation;
  return { nextFingerprint: formatFingerprint(nextPin), stragglers, unapproved };
}

/** The warnings of one directory, their paths with its name. */
function withDirectory({
  name,
  warnings,
}: Status['main']['directories'][number]): Status['main']['warnings'] {
  return warnings.map(({ path, message }) => ({ path: `${name}/${path}`, message }));
}

function mainDirectoryStatus(directory: MainDirectory): Status['main']['directories'][number] {
  const { name, replica } = directory;
  const skipped = firstOf(replica.skipped, MAX_SKIPPED).map(([path, reason]) => ({ path, reason }));
  const { files, bytes, digest, path } = replica;
  const warnings = firstOf(directory.warnings, MAX_WARNINGS).map(([path, message]) => ({ path, message }));
  return { name, path, files, bytes, digest, held: replica.held ?? null, skipped, warnings };
}

function agentStatus(controller: Controller, name: string, voipIp: string | null): MdsStatus {
  const session = controller.sessions.get(name);
  const seen = controller.sessions.lastSeen.get(name);
  if (session === undefined || !session.isReady) {
    const gone = absent(name, 'disconnected', seen?.address ?? null);
    return { ...gone, voipIp, lastSeen: seen ? new Date(seen.at).toISOString() : null };
  }
  return connected(controller, session, voipIp);
}

/** Adds the lag of an MDS and since when it is behind. */
function timed(controller: Controller, mds: MdsStatus): MdsStatus {
  const { syncTimes, clock, sessions } = controller;
  const now = clock.now();
  const { name, inSync } = mds;
  // A disconnected MDS is behind from the first change that it missed.
  const missed = mds.state === 'connected' ? undefined : firstMissed(controller, mds.lastSeen);
  if (mds.state === 'connected') syncTimes.update(name, inSync, now, sessions.get(name)?.awaitedSince);
  else if (missed !== undefined) syncTimes.update(name, false, now, missed);
  const behind = syncTimes.behindSince(name);
  const well = mds.state === 'connected' ? syncTimes.inSyncSince(name) : undefined;
  const { lastReconcile } = mds;
  return {
    ...mds,
    lagMs: behind === undefined ? (mds.state === 'connected' ? 0 : null) : Math.max(0, now - behind),
    behindSince: behind === undefined ? null : new Date(behind).toISOString(),
    inSyncSince: well === undefined ? null : new Date(well).toISOString(),
    // A failure of the last full check is cleared once all is well, without waiting for the next one.
    lastReconcile: lastReconcile !== null && inSync ? { ...lastReconcile, ok: true } : lastReconcile,
  };
}

/** When the first change was made that an MDS missed. What happened before Main started is not known. */
function firstMissed({ directories, startedAt }: Controller, lastSeen: string | null): number | undefined {
  if (lastSeen === null) return undefined;
  const since = Date.parse(lastSeen);
  if (since < startedAt) return undefined;
  const changes = [...directories.values()].map(({ changedAt }) => changedAt).filter((at) => at > since);
  return changes.length === 0 ? undefined : Math.min(...changes);
}

function connected(controller: Controller, session: ControllerSession, voipIp: string | null): MdsStatus {
  const { report } = session;
  const directories = directoriesOf(controller, session);
  const active = (report?.owedReloads ?? []).length === 0;
  return {
    name: session.name,
    voipIp,
    address: session.address,
    state: 'connected',
    fingerprint: null,
    agentVersion: session.agentVersion,
    certificateNotAfter: null,
    connectedSince: new Date(session.since).toISOString(),
    lastSeen: new Date(controller.clock.now()).toISOString(),
    clockOffsetMs: report?.clockOffsetMs ?? null,
    lagMs: null,
    behindSince: null,
    inSyncSince: null,
    lastDeliveryMs: session.lastDeliveryMs,
    inSync:
      active && directories.every((directory) => directory.inSync) && (report?.errors ?? []).length === 0,
    lastReconcile: report?.lastReconcile ?? null,
    directories,
    reloads: report?.reloads ?? [],
    owedReloads: report?.owedReloads ?? [],
    bytesPerSecond: session.traffic.rate,
    transfers: transfersOf(session),
    errors: report?.errors ?? [],
  };
}

/**
 * What is to be transferred to and from one MDS, without the rest of the status; undefined when it is not connected.
 */
export function toGoAt(
  controller: Controller,
  name: string,
): Pick<MdsStatus, 'directories' | 'bytesPerSecond'> | undefined {
  const session = controller.sessions.get(name);
  if (session === undefined || !session.isReady) return undefined;
  return { directories: directoriesOf(controller, session), bytesPerSecond: session.traffic.rate };
}

function directoriesOf({ directories }: Controller, session: ControllerSession): MdsStatus['directories'] {
  return [...directories.values()].map((directory) =>
    directoryStatus(
      directory,
      session.report,
      session.manifests.omitted(directory.name),
      session.traffic.travelled(directory.name),
    ),
  );
}

function transfersOf({ traffic }: ControllerSession): MdsStatus['transfers'] {
  return traffic.transfers.flatMap(({ directory, direction, path, files, bytesTotal, moved }) =>
    // Metadata and removals carry no content.
    files === 0
      ? []
      : [{ directory, direction, path, files, bytes: Math.min(moved(), bytesTotal), bytesTotal }],
  );
}

/** Whether an MDS that reports this holds all that Main holds of a directory, and nothing waits there. */
function absent(name: string, state: MdsState, address: string | null): MdsStatus {
  return {
    name,
    voipIp: null,
    address,
    state,
    fingerprint: null,
    agentVersion: null,
    certificateNotAfter: null,
    connectedSince: null,
    lastSeen: null,
    clockOffsetMs: null,
    lagMs: null,
    behindSince: null,
    inSyncSince: null,
    lastDeliveryMs: null,
    inSync: false,
    lastReconcile: null,
    directories: [],
    reloads: [],
    owedReloads: [],
    bytesPerSecond: 0,
    transfers: [],
    errors: [],
  };
}
