import type { ControllerPlaces } from '#host/config/places.ts';
import type { Identity } from '#host/identity/certificate.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Tasks } from '#host/process/tasks.ts';
import type { Clock } from '#host/time/clock.ts';
import type { ControllerConfig } from '../config/controllerConfig.ts';
import type { Alarms } from '../daemon/alarms.ts';
import { handleEnrolment } from '../enrolment/enrolments.ts';
import { Rotation } from '../enrolment/keyRotation.ts';
import { publishCertificate } from '../enrolment/publishCertificate.ts';
import { SigningLimit } from '../enrolment/signingLimit.ts';
import { TokenBucket } from '../enrolment/tokenBucket.ts';
import type { MediaServers } from '../mediaServers/mediaServers.ts';
import type { Registry } from '../registry/registry.ts';
import { refuseAdmission } from '../sessions/admission.ts';
import type { LiveSessions, SessionPeer } from '../sessions/liveSessions.ts';
import { InstallFiles } from './installFiles.ts';
import { PeerLog } from './peerLog.ts';
import { Server, type Peer } from './server.ts';

/** Limit of stored requests for approval, which any client that reaches the port can make. */
const ENROLMENTS = { most: 50, refillMs: 1_000 };

/** The parts of Main that its service port uses. */
export type ServicePortMain = {
  readonly config: ControllerConfig;
  readonly registry: Registry;
  readonly mediaServers: MediaServers;
  readonly sessions: LiveSessions;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when Main stops. */
  readonly signal: AbortSignal;
};

export type ServicePortOptions = {
  readonly main: ServicePortMain;
  readonly identity: Identity;
  readonly places: ControllerPlaces;
  readonly tasks: Tasks;
  /** Whether Main has scanned its directories: before, no session is opened. */
  readonly isRead: () => boolean;
};

/**
 * Main's port under its key, and who is admitted there: sessions of agents, requests to enrol, and downloads for the
 * installation of an MDS.
 */
export class ServicePort {
  identity: Identity;
  /** The port in use, which the system chooses for 0. */
  number: number;
  readonly rotation: Rotation;
  readonly #options: ServicePortOptions;
  readonly #server: Server;
  readonly #peerLog: PeerLog;
  readonly #bucket: TokenBucket;
  readonly #signing: SigningLimit;
  readonly #installFiles: InstallFiles;

  /** @throws IdentityFilesError when the next identity is damaged */
  constructor(options: ServicePortOptions) {
    this.#options = options;
    const { main, identity, places, tasks } = options;
    const { config, registry, sessions, mediaServers, clock, log } = main;
    this.identity = identity;
    this.number = config.listen.port;
    this.#peerLog = new PeerLog(log, clock);
    this.#bucket = new TokenBucket(clock, ENROLMENTS);
    this.#signing = new SigningLimit(clock, config.certificates.lifeMs);
    this.rotation = new Rotation({
      folder: places.identityFolder,
      registry,
      log,
      announce: (pin) => sessions.announceNextPin(pin),
    });
    this.#installFiles = new InstallFiles(places, log);
    const admission = {
      registry,
      mediaServers,
      peerLog: this.#peerLog,
      certificatePem: () => this.identity.certificatePem,
      now: () => clock.now(),
    };
    this.#server = new Server({
      listen: config.listen,
      identity,
      refuseSession: (pin, certificateDer, address) =>
        refuseAdmission(admission, { pin, certificateDer, address }),
      onUnauthenticated: (event, address, reason) => this.#peerLog.warn(event, address, { reason }),
      onSession: (peer) => this.connected(peer),
      onEnrol: (peer) => this.asksToEnrol(peer),
      onRequest: (request, response, keep) =>
        tasks.run('a download failed', () => this.#installFiles.answer(request, response, keep)),
      onError: (error) => log.error('the service port failed', { error }),
    });
  }

  /** The agent package of Main's version, if there is one. */
  get agentPackage(): string | undefined {
    return this.#installFiles.agentPackage;
  }

  /** @throws EADDRINUSE, EACCES, … */
  async listen(): Promise<void> {
    this.number = await this.#server.listen();
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#server.close();
  }

  /** Called when an enrolled agent has connected. */
  connected(peer: SessionPeer): void {
    const { main, tasks, isRead } = this.#options;
    if (main.signal.aborted) return peer.socket.close(1001, 'Main is stopping');
    tasks.run('a session could not be opened', () => main.sessions.admit(peer, isRead()));
  }

  /** Handles a request to enrol, to renew a certificate, or to leave. */
  asksToEnrol(peer: Peer): void {
    this.#options.tasks.run('an enrolment request could not be handled', () => this.#enrol(peer));
  }

  /** Activates the announced key: every agent reconnects, and renews its certificate. */
  switchIdentity(): void {
    const { main, places } = this.#options;
    this.identity = this.rotation.switch();
    publishCertificate(places.publishedFolder, this.identity.certificatePem);
    this.#server.useIdentity(this.identity);
    main.sessions.closeAll("Main's key was changed: connect again");
  }

  #enrol(peer: Peer): Promise<void> {
    const { registry, sessions, alarms, config, clock, log } = this.#options.main;
    return handleEnrolment(peer, {
      registry,
      main: {
        identity: this.identity,
        rotation: this.rotation,
        directories: config.directories,
        certificateLifeMs: config.certificates.lifeMs,
      },
      limits: { requests: this.#bucket, signing: this.#signing },
      clock,
      log,
      peerLog: this.#peerLog,
      onRevoked: (pins: readonly Pin[], why) => sessions.disconnect(pins, why),
      onAlarm: (message) => alarms.raise(message),
    });
  }
}
