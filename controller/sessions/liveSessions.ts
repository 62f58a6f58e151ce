import type { FromMain } from '#protocol/messages/session.ts';
import type { Pin } from '#host/identity/pin.ts';
import type { Logger } from '#host/log/logger.ts';
import type { Clock } from '#host/time/clock.ts';
import { closeSocket } from '#wire/closeSocket.ts';
import type { Alarms } from '../daemon/alarms.ts';
import type { MainDirectory, FolderRename } from '../directories/mainDirectory.ts';
import type { Revision } from '../directories/publication.ts';
import type { MediaServers } from '../mediaServers/mediaServers.ts';
import type { Agent } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import type { Peer } from '../server/server.ts';
import type { ControllerSession } from './controllerSession.ts';
import type { LastSeen } from './lastSeen.ts';

/** The peer of a new connection. */
export type SessionPeer = Pick<Peer, 'socket' | 'pin' | 'address'>;

export type LiveSessionsOptions = {
  readonly registry: Registry;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly lastSeen: LastSeen;
  readonly log: Logger;
  /** Opens a session over an admitted connection. */
  readonly open: (peer: SessionPeer, agent: Agent) => ControllerSession;
};

/** The sessions of the connected agents, one per agent. */
export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #byName = new Map<string, ControllerSession>();
  /** Sessions whose connection has ended but whose work has not. */
  readonly #all = new Set<ControllerSession>();

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
  }

  /** Time and address of each agent's last connection. */
  get lastSeen(): LastSeen {
    return this.#options.lastSeen;
  }

  get(name: string): ControllerSession | undefined {
    return this.#byName.get(name);
  }

  values(): Iterable<ControllerSession> {
    return this.#byName.values();
  }

  /** Number of open commands, streams and offers of all sessions. */
  get openEnds(): number {
    return [...this.#all].reduce((sum, { openEnds }) => sum + openEnds, 0);
  }

  /** Removes a session whose connection has ended. */
  left(session: Pick<ControllerSession, 'name' | 'address'>): void {
    const { name, address } = session;
    this.lastSeen.note(name, address);
    if (this.#byName.get(name) === session) this.#byName.delete(name);
  }

  /** Sends a new revision to every agent that follows its directory. @param changedAt milliseconds since 1970 */
  announceRevision(revision: Revision, changedAt: number): void {
    for (const session of this.#byName.values()) session.announceRevision(revision, changedAt);
  }

  /** Sends every agent the new name of a folder. */
  announceFolderRename(renamed: FolderRename): void {
    for (const { manifests } of this.#byName.values()) manifests.announceFolderRename(renamed);
  }

  /** Sends every agent whether a directory is held. */
  announceHold(directory: MainDirectory): void {
    for (const session of this.#byName.values()) session.announceHold(directory);
  }

  /** Sends every agent the pin of Main's next key. */
  announceNextPin(pin: Pin): void {
    for (const session of this.#byName.values()) session.announceNextPin(pin);
  }

  pause(isOn: boolean): void {
    for (const session of this.#byName.values()) session.pause(isOn);
  }

  /** Closes every connection; the agents reconnect. */
  closeAll(reason: string): void {
    for (const session of this.#byName.values()) session.close(reason);
  }

  /** Ends the sessions of MDS that were removed from XiVO's list. */
  closeSuspended(mediaServers: Pick<MediaServers, 'whySuspended'>): void {
    for (const session of this.#byName.values()) {
      const why = mediaServers.whySuspended(session.name);
      if (why !== undefined) session.close(why);
    }
  }

  /** Ends the sessions of these keys. */
  disconnect(pins: readonly Pin[], reason: string): void {
    for (const session of this.#byName.values()) if (pins.includes(session.pin)) session.close(reason);
  }

  /** Ends all sessions, and resolves when all work for agents is done. */
  async end(reason: string): Promise<void> {
    for (const session of this.#all) if (!session.isClosed) session.close(reason);
    await Promise.all([...this.#all].map(({ ended }) => ended));
  }

  /**
   * Opens a session for an agent, unless its key already has a live one. An error affects this peer alone, which retries.
   * @param isRead whether Main has scanned its directories
   */
  async admit(peer: SessionPeer, isRead: boolean): Promise<void> {
    peer.socket.on('error', () => peer.socket.terminate());
    try {
      await this.#admit(peer, isRead);
    } catch (error) {
      this.#options.log.error('a session could not be opened', { address: peer.address, error });
      peer.socket.close(1011, 'Main could not do that: see its log');
    }
  }

  async #admit(peer: SessionPeer, isRead: boolean): Promise<void> {
    const { registry } = this.#options;
    if (!isRead)
      return peer.socket.close(
        1013,
        'Main has just started and still reads its directories: try again in a moment',
      );
    const known = registry.findByPin(peer.pin);
    const other = known && this.#byName.get(known.name);
    if (other !== undefined) {
      // Its messages wait in the kernel's buffer meanwhile.
      peer.socket.pause();
      if (await other.isAlive()) return this.#refuseSecond(peer, other);
      // The old connection is half open: the same agent has reconnected.
      other.close('the same agent connected again');
      peer.socket.resume();
    }
    const agent = registry.findByPin(peer.pin);
    if (agent === undefined) return peer.socket.close(1008, 'this MDS was removed on Main');
    // A second connection arrived while the first one was being checked.
    const meanwhile = this.#byName.get(agent.name);
    if (meanwhile !== undefined && meanwhile !== other) return this.#refuseSecond(peer, meanwhile);
    this.#open(peer, agent);
  }

  #open(peer: SessionPeer, agent: Agent): void {
    const session = this.#options.open(peer, agent);
    // Noted here, too, so that it is known after a Main that was killed.
    this.lastSeen.note(agent.name, peer.address);
    this.#byName.set(agent.name, session);
    this.#all.add(session);
    session.ended.then(
      () => this.#all.delete(session),
      (error: unknown) => this.#options.log.error('a session did not end', { error }),
    );
  }

  #refuseSecond(peer: SessionPeer, first: ControllerSession): void {
    const { alarms, clock } = this.#options;
    alarms.raise(
      `two machines hold the key of ${first.name}: one is connected from ${first.address}, another one came from ${peer.address} and was refused. If one of them is a copy of the other, stop it, and enrol the right one again: xivo-xds-sync mds add ${first.name} --replace`,
    );
    const reason = `${first.name} is already connected, from ${first.address}, with the same key: is this machine a copy of another one? Then run "xivo-xds-sync-agent leave" where it should not run`;
    peer.socket.resume();
    peer.socket.send(JSON.stringify({ type: 'refused', reason } satisfies FromMain));
    closeSocket(peer.socket, clock, 1008, 'a second holder of the same key');
  }
}
