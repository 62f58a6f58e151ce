import { ControlError } from '#host/control/controlError.ts';
import { VERSION } from '#host/version.ts';
import type { Controller } from '../../daemon/controller.ts';
import { offerOf } from './agentPackage.ts';
import { stagesOf } from './stages.ts';
import type { ShowProgress } from '../../daemon/passProgress.ts';
import type { RollOut, UpgradeResult } from '../contract/contract.ts';
import { enrolledMds } from '../known.ts';
import { upgradeOne } from './upgradeOne.ts';

/** One at a time on a Main. */
export class RollOuts {
  readonly #controller: Controller;
  #busy = false;

  constructor(controller: Controller) {
    this.#controller = controller;
  }

  /**
   * Brings the agents of these MDS to Main's own version: the canaries first. The first one that fails ends it.
   * @param only one MDS; undefined for all
   * @param signal nobody else begins once it is aborted
   * @param show is told how far each is
   * @throws ControlError when there is no such MDS, or another roll-out is under way
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
    const { sessions, config, identity, agentPackage, log } = this.#controller;
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
      const reason = bad?.words ?? 'the command was ended';
      log.error('the upgrade of the agents stopped', { mds: at, reason, notBegun: notBegun.join(',') });
      return { version: VERSION, mds, stopped: { at, reason, notBegun } };
    }
    return { version: VERSION, mds, stopped: null };
  }
}
