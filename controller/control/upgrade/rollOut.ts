import { ControlError } from '#host/control/controlError.ts';
import { VERSION } from '#host/version.ts';
import type { Controller } from '../../daemon/controller.ts';
import { offerOf } from './agentPackage.ts';
import { stagesOf } from './stages.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { RollOut, UpgradeResult } from '../contract/contract.ts';
import { enrolledMds } from '../known.ts';
import { upgradeOne } from './upgradeOne.ts';

/** At most one at a time. */
export class RollOuts {
  readonly #controller: Controller;
  #busy = false;

  constructor(controller: Controller) {
    this.#controller = controller;
  }

  /**
   * Upgrades the agents of these MDS to Main's version, canaries first. The first failure stops the roll-out.
   * @param only one MDS; undefined for all
   * @param signal no further upgrade starts once it is aborted
   * @param show receives the progress of each
   * @throws ControlError when there is no such MDS, or a roll-out is already in progress
   */
  async run(only: string | undefined, signal: AbortSignal, show: ShowProgress): Promise<RollOut> {
    if (this.#busy) throw new ControlError('agents are being upgraded already: see "xivo-xds-sync mds list"');
    this.#busy = true;
    try {
      return await this.#run(only, signal, show);
    } finally {
      this.#busy = false;
    }
  }

  async #run(only: string | undefined, signal: AbortSignal, show: ShowProgress): Promise<RollOut> {
    const { sessions, config, servicePort, log, clock } = this.#controller;
    const { identity, agentPackage } = servicePort;
    const startedAt = clock.monotonic();
    const took = (): { durationMs: number } => ({ durationMs: Math.round(clock.monotonic() - startedAt) });
    const names = enrolledMds(this.#controller, only);
    const isWaiting = (name: string): boolean => {
      const session = sessions.get(name);
      return session?.isReady === true && session.agentVersion !== VERSION;
    };
    const offer = agentPackage === undefined ? undefined : await offerOf(agentPackage, identity.keyPem);
    const stages = stagesOf(names, { canaries: config.canary, isWaiting });
    const mds: UpgradeResult[] = [];
    for (const [i, stage] of stages.entries()) {
      const results = await Promise.all(
        stage.names.map((name) => upgradeOne(this.#controller, name, offer, show)),
      );
      mds.push(...results);
      const bad = results.find(({ result }) => result === 'failed' || (stage.isCanary && result === 'away'));
      const notBegun = stages.slice(i + 1).flatMap((later) => later.names);
      if (notBegun.length === 0) break;
      if (bad === undefined && !signal.aborted) continue;
      const at = bad?.name ?? stage.names.join(', ');
      const reason = bad?.words ?? 'the command was interrupted';
      log.error('the upgrade of the agents stopped', { mds: at, reason, notBegun: notBegun.join(',') });
      return { version: VERSION, mds, stopped: { at, reason, notBegun }, ...took() };
    }
    return { version: VERSION, mds, stopped: null, ...took() };
  }
}
