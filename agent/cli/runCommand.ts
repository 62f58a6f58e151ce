import path from 'node:path';
import { exitAtLast } from '#host/process/exitAtLast.ts';
import { EXIT } from '#host/cli/exitCodes.ts';
import { abortedBy, stopSignal } from '#host/cli/stopSignal.ts';
import { serviceManager } from '#host/systemd/sdNotify.ts';
import { ControlServer } from '#host/control/controlServer.ts';
import type { Logger } from '#host/log/logger.ts';
import { logModeOf, openLog } from '#host/log/openLog.ts';
import type { Database } from '#sync/state/database.ts';
import { runOnState } from '#sync/state/openState.ts';
import { lastSetAside, setAsideAlarm } from '#sync/state/stateFile.ts';
import type { Trouble } from '#sync/state/deferredWriter.ts';
import { growHeapInSmallSteps } from '#host/memory/heapGrowth.ts';
import { restMemory } from '#host/memory/restingMemory.ts';
import { systemClock } from '#host/time/clock.ts';
import { VERSION } from '#host/version.ts';
import { ControlError } from '#host/control/controlError.ts';
import { agentApi } from '../control/api.ts';
import { agentContract, type AgentHandlers, type AgentStatus } from '../control/contract.ts';
import { Agent } from '../daemon/agent.ts';
import type { Credentials } from '../connection/credentials.ts';
import type { LinkState } from '../connection/reconnector.ts';
import { Upgrades } from '../upgrade/upgrades.ts';
import type { Context } from './context.ts';
import { loadConfig } from './loadConfig.ts';
import { loadCredentials } from './membership/loadCredentials.ts';
import { waitForApproval } from '../connection/waitForApproval.ts';

/** `run`: the agent in the foreground, until a signal ends it. */
export async function run(context: Context, logMode?: string): Promise<number> {
  const log = openLog(logModeOf(logMode));
  try {
    const credentials = loadCredentials(context, log.logger);
    const stop = stopSignal(() => reload());
    const manager = serviceManager();
    const daemon = new Daemon(context, credentials, log.logger, manager.isPresent);
    const reload = (): void => daemon.reload();
    const control = new ControlServer({
      socketPath: context.places.controlSocket,
      contract: agentContract,
      handlers: () => daemon.handlers(),
      onError: (command, error) => log.logger.error('a command failed', { command, error }),
    });
    await control.listen();
    // Waiting for approval, or for an unreachable Main, is part of its work.
    manager.ready();
    abortedBy(stop).addEventListener('abort', () => manager.stopping(), { once: true });
    try {
      await daemon.run(stop);
    } finally {
      await control.close();
    }
    return EXIT.done;
  } catch (error) {
    log.logger.error('the agent can not run', { error });
    throw error;
  } finally {
    await log.close();
    exitAtLast();
  }
}

/** Waits for approval if needed, and then runs the agent. */
class Daemon {
  readonly #context: Context;
  readonly #credentials: Credentials;
  readonly #log: Logger;
  readonly #isService: boolean;
  #agent: Agent | undefined;
  #waiting: LinkState;
  /** The reason why the state can't be used yet. */
  #stateTrouble: Trouble | undefined;

  constructor(context: Context, credentials: Credentials, log: Logger, isService: boolean) {
    this.#context = context;
    this.#credentials = credentials;
    this.#log = log;
    this.#isService = isService;
    this.#waiting = { state: 'connecting', problem: undefined, since: systemClock.now() };
  }

  async run(stop: Promise<unknown>): Promise<void> {
    if (!this.#credentials.approved && !(await this.#becomeApproved(stop))) return;
    const { stateFile } = this.#context.places;
    const onWaiting = (message: string): void => {
      this.#stateTrouble ??= { at: new Date(systemClock.now()).toISOString(), path: stateFile, message };
      this.#stateTrouble = { ...this.#stateTrouble, message };
    };
    await runOnState(stateFile, { log: this.#log, signal: abortedBy(stop), onWaiting }, (db) =>
      this.#work(db, stop),
    );
  }

  /** Runs the agent until the program is to stop or the state turns out to be damaged. */
  async #work(db: Database, stop: Promise<unknown>): Promise<void> {
    const { places, root } = this.#context;
    const config = loadConfig(this.#context);
    const common = { places, clock: systemClock, log: this.#log, credentials: this.#credentials };
    const upgrades = new Upgrades({
      ...common,
      bandwidth: () => (this.#agent?.config ?? config).bandwidth,
      reserveBytes: config.reserveBytes,
      isService: this.#isService,
      globalArguments: process.argv.slice(2, process.argv.indexOf('run')),
    });
    const own = [places.stateFolder, path.dirname(this.#context.configFile), places.installerFolder];
    const host = { root, clock: systemClock, log: this.#log, own };
    growHeapInSmallSteps();
    const agent = new Agent({ config, host, db, credentials: this.#credentials, upgrades });
    this.#agent = agent;
    agent.start();
    using _memory = restMemory();
    this.#log.info('agent started', { name: this.#credentials.name });
    await Promise.race([stop, db.whenDamaged()]);
    if (db.damaged.aborted) this.#agent = undefined;
    await agent.stop();
    this.#log.info('agent stopped');
  }

  /** SIGHUP: applies what can change without a restart; an invalid configuration changes nothing. */
  reload(): void {
    try {
      const next = loadConfig(this.#context);
      if (this.#agent === undefined)
        this.#log.info('configuration reloaded', { changed: 'it is read at the start' });
      else this.#agent.reconfigure(next);
    } catch (error) {
      this.#log.error('configuration not reloaded: the running one stays in use', { error });
    }
  }

  handlers(): AgentHandlers {
    const status = (): AgentStatus => this.status();
    if (this.#agent !== undefined) return { status, ...agentApi(this.#agent) };
    const notYet = (): never => {
      const waiting = this.#waiting;
      const problem = waiting.state === 'connecting' ? waiting.problem : undefined;
      throw new ControlError(
        `the agent is not ready yet: ${this.#stateTrouble?.message ?? problem ?? 'it is just starting'} (see "xivo-xds-sync-agent status")`,
      );
    };
    return {
      status,
      history: notYet,
      'trash-list': notYet,
      'trash-restore': notYet,
      why: notYet,
      diff: notYet,
    };
  }

  status(): AgentStatus {
    const { name } = this.#credentials;
    const aside = lastSetAside(this.#context.places.stateFile);
    const alarms = aside === undefined ? [] : [setAsideAlarm(aside)];
    const common = { name, version: VERSION, alarms };
    if (this.#agent !== undefined) {
      const report = this.#agent.report();
      const opened = this.#agent.directories;
      const directories = report.directories.map((each) => {
        const path = opened.get(each.name)?.replica.path;
        return path === undefined ? each : { ...each, path };
      });
      const link = this.#agent.link.state;
      const paused = link.state === 'connected' && [...opened.values()].some(({ isPaused }) => isPaused);
      return { ...common, link, paused, ...report, directories };
    }
    const errors = this.#stateTrouble === undefined ? [] : [this.#stateTrouble];
    return {
      ...common,
      link: this.#waiting,
      lastReconcile: null,
      directories: [],
      reloads: [],
      owedReloads: [],
      errors,
    };
  }

  async #becomeApproved(stop: Promise<unknown>): Promise<boolean> {
    const onProblem = (problem: string): void => {
      this.#waiting = { ...this.#waiting, state: 'connecting', problem };
    };
    return waitForApproval(
      this.#credentials,
      { clock: systemClock, log: this.#log, onProblem },
      abortedBy(stop),
    );
  }
}
