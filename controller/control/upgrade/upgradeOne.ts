import type { PackageOffer } from '#protocol/messages/common.ts';
import { formatDuration } from '#core/text/duration.ts';
import { pause } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import type { Controller } from '../../daemon/controller.ts';
import { whyAway } from '../../daemon/passes.ts';
import type { CommandFigures } from '#protocol/messages/session.ts';
import { type ShowProgress, whilePassing } from '../../daemon/passProgress.ts';
import type { UpgradeResult } from '../contract/contract.ts';

/**
 * From the loss of the connection to the return of the new or the old agent, milliseconds: installing, waiting,
 * restoring.
 */
const BACK_WITHIN = 300_000;
const LOOK_EVERY = 100;

/**
 * Upgrades the agent of one MDS, and waits until the new agent, or after a failure the old one, has connected.
 * The wait ends when Main stops.
 * @param offer undefined when Main has no package
 */
export async function upgradeOne(
  controller: Controller,
  name: string,
  offer: PackageOffer | undefined,
  show: ShowProgress,
): Promise<UpgradeResult> {
  const { sessions, log, clock } = controller;
  const session = sessions.get(name);
  if (session === undefined || !session.isReady)
    return { name, result: 'away', words: whyAway(controller, name), from: null, durationMs: null };
  const from = session.agentVersion;
  const startedAt = clock.monotonic();
  const took = (): number => Math.round(clock.monotonic() - startedAt);
  const failed = (words: string): UpgradeResult => {
    log.warn('an agent was not upgraded', { mds: name, from, to: VERSION, reason: words });
    return { name, result: 'failed', words, from, durationMs: took() };
  };
  if (from === VERSION)
    return { name, result: 'current', words: `already at ${from}`, from, durationMs: null };
  if (!session.capabilities.has('upgrade'))
    return failed(`its agent (${from}) can't be upgraded from here: run mds_install.sh there again`);
  if (offer === undefined) {
    return failed(
      `Main has no agent package of version ${VERSION}: it is part of the package xivo-xds-sync; in a checkout, "npm run package" builds it`,
    );
  }
  const reportedBefore = session.lastUpgrade?.at;
  log.info('an agent is being upgraded', { mds: name, from, to: VERSION });
  let figures: CommandFigures | undefined;
  const { lines } = await whilePassing(
    clock,
    { mds: name, doing: 'fetching its package', show, read: () => undefined, figures: () => figures },
    () => session.command({ do: 'upgrade', offer }, (reported) => (figures = reported)),
  );
  if (session.isReady) return failed(lines.join(' '));
  const lost = clock.monotonic();
  const nothing = { files: 0, filesTotal: null, bytes: 0, bytesTotal: null };
  show({ host: name, doing: 'restarting with the new agent', ...nothing });
  while (clock.monotonic() - lost < BACK_WITHIN) {
    if (controller.signal.aborted)
      return failed('Main is stopping: "xivo-xds-sync mds list" says later which agent runs there');
    const now = sessions.get(name);
    if (now?.isReady === true && now.agentVersion === VERSION && now.report !== undefined) {
      const durationMs = took();
      const time = formatDuration(durationMs);
      log.info('an agent was upgraded', { mds: name, from, to: VERSION, took: time });
      const words = `upgraded from ${from} to ${VERSION} in ${time}`;
      return { name, result: 'upgraded', words, from, durationMs };
    }
    const { lastUpgrade } = now ?? {};
    if (
      lastUpgrade !== undefined &&
      lastUpgrade.at !== reportedBefore &&
      lastUpgrade.sha256 === offer.sha256 &&
      !lastUpgrade.ok
    )
      return failed(lastUpgrade.reason);
    await pause(clock, LOOK_EVERY, controller.signal);
  }
  const state =
    sessions.get(name)?.isReady === true
      ? 'reconnected with its old agent, and gave no reason'
      : 'did not reconnect';
  return failed(`it ${state} within ${formatDuration(BACK_WITHIN)}: see "journalctl -t xivo-xds-sync" there`);
}
