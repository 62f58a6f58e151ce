import assert from 'node:assert/strict';
import { type Entry, sameEntry, sameVersion } from '#core/manifest/entry.ts';
import { isBelow, parentOf } from '#core/path/relative.ts';
import type { Decision } from '#core/plan/decision.ts';
import type { ReadonlyDecisions } from '#core/plan/decisions.ts';
import type { Side } from './side.ts';
import type { Agent, World } from './world.ts';

export type How = {
  /** `never`: nothing happened since the plan was made, so that every decision must be possible. */
  readonly stale: 'never' | 'expected';
  readonly answerLost?: boolean;
  readonly steps?: number;
};

type Step = { readonly path: string; readonly decision: Decision };

const ON_MAIN: ReadonlySet<Decision['kind']> = new Set(['upload', 'remove-on-main', 'lose']);

/** Carries decisions out as an agent and Main do: expectations are checked, what is displaced goes to the trash. */
export class CarryOut {
  readonly #world: World;
  readonly #agent: Agent;
  readonly #how: How;

  constructor(world: World, agent: Agent, how: How) {
    this.#world = world;
    this.#agent = agent;
    this.#how = how;
  }

  run(decisions: ReadonlyDecisions): void {
    const steps = inOrder(decisions);
    const limit = this.#how.steps ?? steps.length;
    for (const [number, step] of steps.entries()) {
      if (this.#how.answerLost && !ON_MAIN.has(step.decision.kind)) continue;
      const done = number < limit && this.#attempt(step);
      assert.ok(
        done || this.#how.stale === 'expected',
        `${step.path}: ${step.decision.kind} can't be carried out`,
      );
    }
  }

  #attempt({ path, decision }: Step): boolean {
    this.#checkPolicy(path, decision);
    switch (decision.kind) {
      case 'deliver':
        return this.#deliver(path, decision, decision.entry);
      case 'lose':
        return this.#lose(path, decision);
      case 'remove':
        return this.#remove(path, decision.expect);
      case 'upload':
        return this.#upload(path, decision);
      case 'remove-on-main':
        return this.#removeOnMain(path, decision.expect);
      case 'agree':
        return this.#learn(path, decision.entry);
      case 'forget':
        this.#agent.ledger.delete(path);
        break;
      case 'skip':
      case 'nothing':
      case 'local':
        break;
    }
    return true;
  }

  #deliver(path: string, decision: Decision & { kind: 'deliver' }, entry: Entry): boolean {
    const { side } = this.#agent;
    const found = side.at(path);
    if (entry.type === 'file' && decision.content) this.#checkOwnRecording(path, decision.expect);
    const expected = decision.replacesSpecial ? found === 'special' : isEqual(found, decision.expect);
    if (!expected || !side.isFolder(parentOf(path))) return false;
    if (decision.content && entry.type === 'file' && !isEqual(this.#world.main.at(path), entry)) return false;
    return this.#replace(side, path, entry, decision.content) && this.#learn(path, entry);
  }

  #lose(path: string, { loser, winner }: Decision & { kind: 'lose' }): boolean {
    const { side } = this.#agent;
    if (!isEqual(side.at(path), loser) || !isEqual(this.#world.main.at(path), winner)) return false;
    this.#checkConflict(path, loser, winner, false);
    if (loser.type === 'file') this.#world.main.trash.add(loser.hash);
    if (this.#how.answerLost) return true;
    return this.#replace(side, path, winner, true) && this.#learn(path, winner);
  }

  #upload(path: string, { entry, expect, content, conflict }: Decision & { kind: 'upload' }): boolean {
    const { main, tombstones } = this.#world;
    if (!isEqual(main.at(path), expect) || !main.isFolder(parentOf(path))) return false;
    if (!isEqual(this.#agent.side.at(path), entry)) return false;
    if (conflict) this.#checkConflict(path, entry, expect, true);
    else this.#checkKnown(path, entry, expect);
    // What came into the folder after the plan was made goes to the trash with it: kept, although it was not removed.
    if (entry.type !== 'folder' && this.#how.stale === 'never') {
      for (const each of main.below(path)) this.#checkRemovedByUser(each);
    }
    if (!this.#replace(main, path, entry, content)) return false;
    tombstones.delete(path);
    if (!expect || !sameVersion(expect, entry)) this.#world.noteOrigin(path, entry, this.#agent.name);
    return this.#learn(path, entry);
  }

  #remove(path: string, expect: Entry): boolean {
    const { side, ledger } = this.#agent;
    if (!isEqual(side.at(path), expect)) return false;
    this.#checkOwnRecording(path, expect);
    if (!this.#displace(side, path)) return false;
    side.remove(path);
    ledger.delete(path);
    return true;
  }

  #removeOnMain(path: string, expect: Entry): boolean {
    const { main } = this.#world;
    if (!isEqual(main.at(path), expect) || !this.#displace(main, path)) return false;
    main.remove(path);
    if (!this.#how.answerLost) this.#agent.ledger.delete(path);
    return true;
  }

  #learn(path: string, entry: Entry): boolean {
    if (!this.#how.answerLost) this.#agent.ledger.set(path, entry);
    return true;
  }

  /** What a replaced folder held is none of the ledger's any more. */
  #learnReplaced(path: string): void {
    if (this.#how.answerLost) return;
    for (const each of this.#agent.ledger.keys()) if (isBelow(each, path)) this.#agent.ledger.delete(each);
  }

  /** What stood there goes to the trash, a folder with all it holds; not an override. */
  #replace(side: Side, path: string, entry: Entry, content: boolean): boolean {
    const found = side.entryAt(path);
    if (found && !content) {
      assert.equal(contentOf(found), contentOf(entry), `${path}: another content passes for metadata`);
    } else if (found?.type === 'folder' && entry.type !== 'folder') {
      if (side.holdsOverride(path)) return false;
      side.keepInTrash(path);
      this.#checkLocal(side, path);
      this.#learnReplaced(path);
    } else if (found) side.keepInTrash(path);
    this.#checkLocalUntouched(side, path);
    this.#world.place(side, path, entry);
    return true;
  }

  /** A removal: a folder only when it is empty. */
  #displace(side: Side, path: string): boolean {
    if (side.isFolder(path) && !side.isEmpty(path)) return false;
    this.#checkLocalUntouched(side, path);
    side.keepInTrash(path);
    return true;
  }

  #checkPolicy(path: string, { kind }: Decision): void {
    const { policy, goneFromMain, tombstones } = this.#world;
    assert.ok(policy.direction === 'both' || !ON_MAIN.has(kind), `${path}: ${kind} in a one-way directory`);
    if (kind === 'remove') {
      assert.notEqual(policy.deletions, 'never', `${path} is removed, where nothing ever is`);
      const known = goneFromMain.has(path) && (policy.direction === 'to-mds' || tombstones.has(path));
      assert.ok(this.#how.stale === 'expected' || known, `${path} is removed, and Main never saw it removed`);
    }
    if (kind === 'remove-on-main') this.#checkRemovedByUser(path);
  }

  /** Main loses only what a user removed on this MDS, where that counts; and that version, no newer one. */
  #checkRemovedByUser(path: string): void {
    const { policy, main, seen } = this.#world;
    assert.equal(policy.deletions, 'both', `${path} is removed on Main`);
    if (this.#how.stale === 'expected') return;
    const { name, removedByUser } = this.#agent;
    assert.ok(removedByUser.has(path), `${path} is removed on Main, and no user removed it on ${name}`);
    const entry = main.entryAt(path);
    const known = entry?.type !== 'file' || seen[name].has(entry.hash);
    assert.ok(known, `${path} is removed on Main, and ${name} never had that version`);
  }

  /** A conflict is one: both changed since they agreed. The newer by true time wins, equal times go by the hash. */
  #checkConflict(path: string, mds: Entry, main: Entry | undefined, mdsWins: boolean): void {
    if (mds.type !== 'file' || main?.type !== 'file') assert.fail(`${path}: only files can be in conflict`);
    assert.notEqual(mds.hash, main.hash, `${path}: the same content is no conflict`);
    const base = this.#agent.ledger.get(path);
    const unchanged = base?.type === 'file' && (base.hash === mds.hash || base.hash === main.hash);
    assert.ok(
      this.#how.stale === 'expected' || !unchanged,
      `${path}: a conflict, though only one side changed`,
    );
    const onMain = this.#world.written.get(main.hash);
    const onMds = this.#world.written.get(mds.hash);
    if (onMain?.mtime !== main.mtime || !this.#world.knowsClock(path, main, onMain.on)) return;
    if (onMds?.on !== this.#agent.name || onMds.mtime !== mds.mtime) return;
    const newer = onMds.at === onMain.at ? mds.hash > main.hash : onMds.at > onMain.at;
    assert.equal(mdsWins, newer, `${path}: the older version won`);
  }

  /** Without a conflict an MDS replaces only what it knew. */
  #checkKnown(path: string, entry: Entry, displaced: Entry | undefined): void {
    if (entry.type !== 'file' || displaced?.type !== 'file') return;
    const known = this.#world.seen[this.#agent.name].has(displaced.hash);
    assert.ok(
      known,
      `${path}: ${this.#agent.name} replaces on Main what it never had, and it is no conflict`,
    );
  }

  /** A recording that Main never had is not displaced by one of Main's, unless as the loser of a conflict. */
  #checkOwnRecording(path: string, displaced: Entry | undefined): void {
    if (this.#world.policy.direction !== 'both' || displaced?.type !== 'file') return;
    assert.ok(
      this.#world.seen.main.has(displaced.hash),
      `${path}: a recording of ${this.#agent.name} never reached Main`,
    );
  }

  #checkLocal(side: Side, folder: string): void {
    for (const path of side.below(folder)) this.#checkLocalUntouched(side, path);
  }

  /** A one-way directory: what never had a namesake on Main, nor a file of Main's in its way, is never touched. */
  #checkLocalUntouched(side: Side, path: string): void {
    const { policy, everOnMain, everNoFolderOnMain, main } = this.#world;
    if (side === main || policy.direction === 'both' || everOnMain.has(path) || side.at(path) === undefined)
      return;
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
      if (everNoFolderOnMain.has(folder)) return;
    }
    assert.fail(`${path} is local to ${side.name} and was touched`);
  }
}

/** Main's part first; folders before what lies in them, removals last and deepest first, then the ledger alone. */
function inOrder(decisions: ReadonlyDecisions): Step[] {
  const steps = [...decisions].map(([path, decision]) => ({ path, decision }));
  return steps.sort((a, b) => rank(a) - rank(b));
}

function rank({ path, decision: { kind } }: Step): number {
  const depth = path.split('/').length;
  if (kind === 'upload') return depth;
  if (kind === 'remove-on-main') return 200 - depth;
  if (kind === 'lose' || kind === 'deliver') return 300 + depth;
  if (kind === 'remove') return 500 - depth;
  return 600 + depth;
}

function isEqual(found: Entry | 'special' | undefined, expect: Entry | undefined): boolean {
  if (found === 'special' || found === undefined || expect === undefined) return found === expect;
  return found.type === 'folder' ? expect.type === 'folder' : sameEntry(found, expect);
}

function contentOf(entry: Entry): string {
  if (entry.type === 'file') return `file ${entry.hash}`;
  return entry.type === 'link' ? `link ${entry.target}` : 'folder';
}
