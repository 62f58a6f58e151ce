import assert from 'node:assert/strict';
import { type Entry, type FileEntry, sameVersion } from '#core/manifest/entry.ts';
import { isBelow } from '#core/path/relative.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { ReadonlyDecisions } from '#core/plan/decisions.ts';
import { plan, type Plan } from '#core/plan/plan.ts';
import type { RemovalBudget } from '#core/plan/guard.ts';
import { CarryOut } from './carryOut.ts';
import { foldersAbove, overrideIn } from './names.ts';
import type { History, MdsName, Operation, PassBlur, ProgramAct, SideName, UserAct } from './operation.ts';
import { Side } from './side.ts';

/** Nanoseconds that each MDS's clock is ahead of Main's. */
const SKEW: Record<SideName, bigint> = { main: 0n, mds1: 2n, mds2: -3n };
const OWNER = { owner: 'asterisk', group: 'asterisk', uid: 100, gid: 100 };
const NO_GUARD = {
  guard: { percent: 100, files: 0 },
  agreedFiles: 0,
  removedLately: 0,
  additive: undefined,
  confirmed: true,
};
/** After the last change all agree within so many rounds over both MDS, and one more finds nothing to do. */
const ROUNDS = 3;

export type Agent = {
  readonly name: MdsName;
  readonly side: Side;
  readonly ledger: Map<string, Entry>;
  /** Paths whose last disappearance on this MDS was a user's doing. */
  readonly removedByUser: Set<string>;
  stored: ReadonlyDecisions | undefined;
};

/** Main and two MDS, in memory, with everything the checks must know about what users did. */
export class World {
  readonly policy;
  readonly main = new Side('main');
  readonly agents: Record<MdsName, Agent> = { mds1: agentOf('mds1'), mds2: agentOf('mds2') };
  readonly tombstones = new Map<string, Entry>();
  /** Paths that were on Main and are not now. */
  readonly goneFromMain = new Set<string>();
  /** Paths that ever were on Main: an MDS's file that is none of them is local. */
  readonly everOnMain = new Set<string>();
  /** Contents that ever were on a side. */
  readonly seen: Record<SideName, Set<string>> = { main: new Set(), mds1: new Set(), mds2: new Set() };
  /** Where and when, by true time, a user wrote a content. */
  readonly written = new Map<
    string,
    { readonly on: SideName; readonly at: bigint; readonly mtime: string }
  >();
  /** Paths that ever were a file or a link on Main: what lies below is no longer safe on an MDS. */
  readonly everNoFolderOnMain = new Set<string>();
  /** `path content` that a user put somewhere; by host. */
  readonly put: Record<SideName, Set<string>> = { main: new Set(), mds1: new Set(), mds2: new Set() };
  /** Folders that a user made, or put something into; by host. */
  readonly madeFolders: Record<SideName, Set<string>> = { main: new Set(), mds1: new Set(), mds2: new Set() };
  /** `path content` that a user removed on Main, and that was not put or touched elsewhere since. */
  readonly buried = new Set<string>();
  /** `path content` whose version a user recreated on an MDS, so that a removal on Main does not count for it. */
  readonly renewed = new Set<string>();
  /** Whose clock Main takes the time of a version for that an MDS has put there. */
  readonly origins = new Map<string, { readonly entry: Entry; readonly clock: bigint }>();
  ledgerWasLost = false;
  tombstonesWereLost = false;
  #clock = 1_000n;
  #contents = 0;
  #userActs = false;

  /** The world in which all of this has happened. */
  static after(history: History): World {
    const world = new World(history);
    for (const operation of history.operations) world.apply(operation);
    return world;
  }

  constructor({ direction, deletions }: Omit<History, 'operations'>) {
    this.policy = { name: 'recordings', direction, deletions };
    this.main.onGone = (path, last) => this.#goneOnMain(path, last);
    for (const agent of Object.values(this.agents)) {
      agent.side.onGone = (path) => {
        if (this.#userActs) agent.removedByUser.add(path);
      };
    }
  }

  side(name: SideName): Side {
    return name === 'main' ? this.main : this.agents[name].side;
  }

  /** Puts something on a side and notes what follows from it. */
  place(side: Side, path: string, node: Entry | 'special'): void {
    side.put(path, node);
    if (node !== 'special' && node.type === 'file') this.seen[side.name as SideName].add(node.hash);
    if (side === this.main) {
      this.goneFromMain.delete(path);
      this.everOnMain.add(path);
      if (node === 'special' || node.type !== 'folder') this.everNoFolderOnMain.add(path);
    } else this.agents[side.name as MdsName].removedByUser.delete(path);
  }

  apply(operation: Operation): void {
    if (!('on' in operation)) return this.#program(operation);
    this.#userActs = true;
    this.#user(operation);
    this.#userActs = false;
  }

  #program(act: ProgramAct): void {
    if (act.do === 'lose tombstones') {
      this.tombstonesWereLost = true;
      return this.tombstones.clear();
    }
    const agent = this.agents[act.by];
    switch (act.do) {
      case 'pass':
        return this.#pass(agent, act.only, act.blur);
      case 'plan': {
        // What only the ledger has to learn is learnt at once.
        const decisions = [...this.plan(agent).decisions];
        const isLearnt = (decision: Decision): boolean =>
          decision.kind === 'agree' || decision.kind === 'forget';
        this.carryOut(agent, new Map(decisions.filter(([, decision]) => isLearnt(decision))), {
          stale: 'never',
        });
        agent.stored = new Map(decisions.filter(([, decision]) => !isLearnt(decision)));
        return;
      }
      case 'carry out':
        if (agent.stored) this.carryOut(agent, agent.stored, { stale: 'expected' });
        agent.stored = undefined;
        return;
      case 'pass with lost answer':
        return this.carryOut(agent, this.plan(agent).decisions, { stale: 'expected', answerLost: true });
      case 'pass cut short':
        return this.carryOut(agent, this.plan(agent).decisions, { stale: 'expected', steps: act.steps });
      case 'lose ledger':
        this.ledgerWasLost = true;
        return agent.ledger.clear();
    }
  }

  /** Connects everything until nothing changes. @returns the rounds it took */
  converge(): number {
    for (let round = 0; ; round++) {
      const changed = [this.agents.mds1, this.agents.mds2].filter((agent) => this.#passUntilEmpty(agent));
      if (changed.length === 0) return round;
      assert.ok(round < ROUNDS, `not converged after ${ROUNDS} rounds`);
    }
  }

  #passUntilEmpty(agent: Agent): boolean {
    const { decisions } = this.plan(agent);
    if ([...decisions.values()].every(({ kind }) => kind === 'skip')) return false;
    this.carryOut(agent, decisions, { stale: 'never' });
    // What only the ledger has to learn changes nothing on a disk, and comes with the next plan.
    const second = [...this.plan(agent).decisions].filter(
      ([, { kind }]) => kind !== 'skip' && kind !== 'forget',
    );
    assert.deepEqual(second, [], `the second plan of ${agent.name} is not empty`);
    return true;
  }

  #pass(agent: Agent, only: readonly string[] | undefined, blur: PassBlur | undefined): void {
    const blurred = blur?.on === 'main' ? this.main : agent.side;
    if (blur) {
      const state = blur.kind === 'moving' ? { kind: blur.kind } : { kind: blur.kind, errno: 'EACCES' };
      blurred.blur = { path: blur.path, state };
    }
    const { decisions } = this.plan(agent, only);
    blurred.blur = undefined;
    const found = blur && blurred.at(blur.path) && snapshot(blurred, blur.path);
    this.carryOut(agent, decisions, { stale: 'never' });
    if (found)
      assert.deepEqual(snapshot(blurred, blur.path), found, `${blur.path} was touched while ${blur.kind}`);
  }

  plan(
    agent: Agent,
    paths?: readonly string[],
    budget: RemovalBudget = NO_GUARD,
    standing: ReadonlyMap<string, Decision> = new Map(),
  ): Plan {
    return plan({
      policy: this.policy,
      main: this.main,
      mds: agent.side,
      ledger: agent.ledger,
      tombstones: this.tombstones,
      clockOffset: SKEW[agent.name],
      mainClocks: this.#mainClocks(),
      budget,
      standing,
      ...(paths && { paths }),
    });
  }

  /** An MDS has put a version on Main. */
  noteOrigin(path: string, entry: Entry, by: MdsName): void {
    this.origins.set(path, { entry, clock: SKEW[by] });
  }

  /** Whether Main knows the clock that gave this version its time. */
  knowsClock(path: string, entry: Entry, of: SideName): boolean {
    const origin = this.origins.get(path);
    const clock = origin !== undefined && sameVersion(origin.entry, entry) ? origin.clock : 0n;
    return clock === SKEW[of];
  }

  #mainClocks(): Map<string, bigint> {
    const clocks = new Map<string, bigint>();
    for (const [path, { entry, clock }] of this.origins) {
      const now = this.main.entryAt(path);
      if (now && sameVersion(now, entry)) clocks.set(path, clock);
    }
    return clocks;
  }

  carryOut(agent: Agent, decisions: ReadonlyDecisions, how: ConstructorParameters<typeof CarryOut>[2]): void {
    const overrides = [this.main, agent.side].map((side) => [...side.overrides].join());
    const contents = [...this.main.contents(), ...agent.side.contents()];
    new CarryOut(this, agent, how).run(decisions);
    assert.deepEqual(
      [this.main, agent.side].map((side) => [...side.overrides].join()),
      overrides,
      'an override changed',
    );
    this.main.checkParents();
    agent.side.checkParents();
    this.#checkNothingLost(contents);
  }

  #checkNothingLost(contents: readonly string[]): void {
    const kept = new Set<string>();
    for (const side of [this.main, this.agents.mds1.side, this.agents.mds2.side]) {
      for (const content of side.contents()) kept.add(content);
      for (const content of side.trash) kept.add(content);
    }
    for (const content of contents) assert.ok(kept.has(content), `the content ${content} is lost`);
  }

  #goneOnMain(path: string, last: Entry | undefined): void {
    this.goneFromMain.add(path);
    if (this.policy.direction === 'both' && last) this.tombstones.set(path, last);
    if (!this.#userActs || last?.type !== 'file') return;
    const key = `${path} ${last.hash}`;
    if (!this.renewed.has(key)) this.buried.add(key);
  }

  #user(operation: UserAct): void {
    const side = this.side(operation.on);
    if ('tick' in operation) this.#clock += BigInt(operation.tick);
    const now = String(this.#clock + SKEW[operation.on]);
    switch (operation.do) {
      case 'write':
        return this.#write(side, operation.path, now);
      case 'mkdir':
        if (!side.isFolder(operation.path)) this.#userPut(side, operation.path, folder());
        return;
      case 'link':
        return this.#userPut(side, operation.path, { type: 'link', target: `t${operation.tick}`, ...OWNER });
      case 'special':
        return this.#userPut(side, operation.path, 'special');
      case 'touch':
      case 'chmod': {
        const entry = side.entryAt(operation.path);
        if (entry === undefined || entry.type === 'link') return;
        if (operation.do === 'chmod')
          this.#userPut(side, operation.path, { ...entry, mode: entry.mode ^ 0o11 });
        else if (entry.type === 'file') this.#userPut(side, operation.path, { ...entry, mtime: now });
        return;
      }
      case 'remove':
        return side.remove(operation.path);
      case 'rename':
        return this.#rename(side, operation.path, operation.to);
      case 'copy': {
        const entry = this.side(operation.from).entryAt(operation.path);
        if (entry?.type === 'file') this.#userPut(side, operation.path, entry);
        return;
      }
      case 'override': {
        const path = overrideIn(operation.folder, operation.asFolder);
        if (operation.folder !== '' && !side.isFolder(operation.folder))
          this.#userPut(side, operation.folder, folder());
        for (const above of foldersAbove(`${operation.folder}/x`)) this.madeFolders[operation.on].add(above);
        side.overrides.set(path, `o${this.#contents++} ${now}`);
        return;
      }
      case 'drop override':
        side.overrides.delete(overrideIn(operation.folder, operation.asFolder));
        return;
    }
  }

  #write(side: Side, path: string, mtime: string): void {
    const hash = `c${this.#contents++}`;
    this.written.set(hash, { on: side.name as SideName, at: this.#clock, mtime });
    this.#userPut(side, path, fileOf(hash, mtime));
  }

  #rename(side: Side, path: string, to: string): void {
    const node = side.at(path);
    if (node === undefined || path === to || isBelow(to, path) || isBelow(path, to)) return;
    const moved = [path, ...side.below(path)].flatMap((each) => {
      const held = side.at(each);
      return held === undefined ? [] : [[to + each.slice(path.length), held] as const];
    });
    const overrides = [...side.overrides].filter(([each]) => isBelow(each, path));
    side.remove(path);
    side.remove(to);
    for (const [each, held] of moved) this.#userPut(side, each, held);
    for (const [each, content] of overrides) side.overrides.set(to + each.slice(path.length), content);
  }

  #userPut(side: Side, path: string, node: Entry | 'special'): void {
    const name = side.name as SideName;
    for (const above of foldersAbove(path)) {
      if (!side.isFolder(above)) this.place(side, above, folder());
      this.madeFolders[name].add(above);
    }
    const before = side.entryAt(path);
    this.place(side, path, node);
    if (node === 'special') return;
    if (node.type === 'folder') this.madeFolders[name].add(path);
    if (node.type !== 'file') return;
    const key = `${path} ${node.hash}`;
    this.put[name].add(key);
    this.buried.delete(key);
    const samePlace = before?.type === 'file' && before.hash === node.hash && before.mtime === node.mtime;
    if (side !== this.main && !samePlace) this.renewed.add(key);
  }
}

function agentOf(name: MdsName): Agent {
  return { name, side: new Side(name), ledger: new Map(), removedByUser: new Set(), stored: undefined };
}

function snapshot(side: Side, path: string): unknown[] {
  return [path, ...side.below(path)].map((each) => [each, side.at(each)]);
}

function folder(): Entry {
  return { type: 'folder', mode: 0o755, ...OWNER };
}

function fileOf(hash: string, mtime: string): FileEntry {
  return { type: 'file', size: 1, hash, mtime, mode: 0o644, ...OWNER };
}
