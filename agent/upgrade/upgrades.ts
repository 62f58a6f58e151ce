import { spawn } from 'node:child_process';
import { realpathSync, rmSync, statfsSync } from 'node:fs';
import type { PackageOffer, UpgradeOutcome } from '#protocol/messages/common.ts';
import type { AgentPlaces } from '#host/config/places.ts';
import { whyNotSigned } from '#host/identity/packageSignature.ts';
import type { Logger } from '#host/log/logger.ts';
import { type Clock, pause } from '#host/time/clock.ts';
import { type Bandwidth, rateAt } from '#host/config/bandwidth.ts';
import { RateLimit } from '#wire/rateLimit.ts';
import { VERSION } from '#host/version.ts';
import type { Credentials } from '../connection/credentials.ts';
import { downloadPackage } from './download.ts';
import { clearInbox, handOver, isTaken } from './inbox.ts';
import { readOutcome } from './outcome.ts';
import { ownCommand } from './ownCommand.ts';
import { isNewer, owns } from './dpkg.ts';

/** Time within which the installer takes the package, milliseconds; systemd starts it at once. */
const TAKEN_WITHIN = 30_000;
const LOOK_EVERY = 200;
/** Timeout of an upgrade including a possible restore of the old version, milliseconds. */
const HEARD_WITHIN = 600_000;
/** Free space needed per byte of the package: for the package and the installer's copy. */
const ROOM_FOR_EACH_BYTE = 2;

export type UpgradesOptions = {
  readonly places: AgentPlaces;
  readonly credentials: Credentials;
  /** Bytes per second; 0 means unlimited. */
  readonly bandwidth: () => Bandwidth;
  readonly reserveBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a service manager started this agent. Its installer unit installs packages then, since the agent's unit may not. */
  readonly isService: boolean;
  /** The options before the command in this agent's command line. */
  readonly globalArguments: readonly string[];
};

/** The agent's part of its own upgrade: it downloads Main's package and hands it to the installer, which runs as root. */
export class Upgrades {
  readonly #options: UpgradesOptions;
  #busy = false;

  constructor(options: UpgradesOptions) {
    this.#options = options;
  }

  get last(): UpgradeOutcome | undefined {
    return readOutcome(this.#options.places.installerFolder);
  }

  /**
   * Downloads the package and has it installed. Success is not reported by this process: the new agent, which replaces it,
   * reports its version.
   * @param figures called with the progress of the download
   * @returns why the upgrade failed
   */
  async receive(
    offer: PackageOffer,
    signal: AbortSignal,
    figures: { bytes: number; bytesTotal: number },
  ): Promise<string> {
    if (this.#busy) return 'an upgrade is already in progress';
    this.#busy = true;
    try {
      figures.bytesTotal = offer.size;
      return await this.#receive(offer, signal, (bytes) => (figures.bytes += bytes));
    } finally {
      this.#busy = false;
    }
  }

  async #receive(
    offer: PackageOffer,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<string> {
    const { places, credentials, bandwidth, clock, log } = this.#options;
    const refusal = whyNotSigned(offer, credentials.pins.mainPin) ?? this.#whyNot(offer);
    if (refusal !== undefined) return refusal;
    log.info('fetching the agent that Main offers', { version: offer.version });
    const file = clearInbox(places.upgradeInbox);
    try {
      const connection = await credentials.connectPlain();
      const pace = new RateLimit(() => rateAt(bandwidth(), clock.now()), clock);
      await downloadPackage({ connection, offer, file, pace, signal, onBytes });
    } catch (error) {
      rmSync(file, { force: true });
      return `the package can't be fetched: ${error instanceof Error ? error.message : String(error)}`;
    }
    handOver(places.upgradeInbox, offer);
    log.info('the new agent is being installed', { from: VERSION, to: offer.version });
    return this.#installed(offer, signal);
  }

  #whyNot({ version, size }: PackageOffer): string | undefined {
    const { places, reserveBytes } = this.#options;
    const program = realpathSync(process.argv[1] ?? '');
    if (!owns(program))
      return `this agent (${program}) is not from the package xivo-xds-sync-agent: upgrade it as it was installed`;
    if (!isNewer(version, VERSION))
      return `this agent is ${VERSION}, which is newer than ${version}: upgrade Main`;
    const { bavail, bsize } = statfsSync(places.stateFolder);
    const free = bavail * bsize;
    if (free < ROOM_FOR_EACH_BYTE * size + reserveBytes)
      return `no room below ${places.stateFolder}: ${Math.floor(free / 2 ** 20)} MiB are free`;
    return undefined;
  }

  /** Waits for what becomes of it. When all goes well, this process does not live to see it. */
  async #installed(offer: PackageOffer, signal: AbortSignal): Promise<string> {
    const { places, clock } = this.#options;
    const before = this.last?.at;
    const startedAt = clock.monotonic();
    if (!this.#options.isService) this.#startInstaller();
    for (;;) {
      await pause(clock, LOOK_EVERY, signal);
      signal.throwIfAborted();
      const outcome = this.last;
      if (outcome !== undefined && outcome.at !== before && outcome.sha256 === offer.sha256)
        return outcome.reason;
      const waited = clock.monotonic() - startedAt;
      if (waited > HEARD_WITHIN) return 'the installer reported no result: see the log there';
      if (!isTaken(places.upgradeInbox) && waited > TAKEN_WITHIN) {
        clearInbox(places.upgradeInbox);
        return 'the installer is not running here: "systemctl start xivo-xds-sync-agent-upgrade.path", or run mds_install.sh here again';
      }
    }
  }

  /** Lives on when this agent ends. */
  #startInstaller(): void {
    const [program, ...before] = ownCommand();
    const args = [
      ...before,
      ...this.#options.globalArguments,
      'install-upgrade',
      '--agent',
      String(process.pid),
    ];
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.on('error', (error) => this.#options.log.error('the installer can not be started', { error }));
    child.unref();
  }
}
