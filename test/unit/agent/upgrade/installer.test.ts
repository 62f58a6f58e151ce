import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { agentPlaces } from '#host/config/places.ts';
import { Root } from '#host/config/rootPath.ts';
import { makeKeyPair } from '#host/identity/keypair.ts';
import { signPackage } from '#host/identity/packageSignature.ts';
import { pinOfPublicKey } from '#host/identity/pin.ts';
import { createLogger } from '#host/log/logger.ts';
import { clearInbox, handOver } from '../../../../agent/upgrade/inbox.ts';
import { installOffered } from '../../../../agent/upgrade/installer.ts';
import { readOutcome } from '../../../../agent/upgrade/outcome.ts';
import { trustMain } from '../../../../agent/upgrade/trustedMain.ts';

const NAME = 'xivo-xds-sync-agent';
const MAIN = makeKeyPair();

/** As much of Debian's tools as the installer uses; a package is a line with its name and version. */
const TOOLS = {
  dpkg: `
    if [ "$1" = --compare-versions ]; then
      [ "$2" != "$4" ] && [ "$(printf '%s\\n' "$2" "$4" | sort -V | tail -n 1)" = "$2" ]; exit
    fi
    read -r name version <"$3"
    echo "install $version" >>"$HOST/calls"
    [ "$version" = 9.9.9 ] && { echo "cannot unpack" >&2; exit 1; }
    echo "$version" >"$HOST/installed"`,
  'dpkg-query': `
    case "$1" in
      --show) cat "$HOST/installed" | tr -d '\\n';;
      --status) echo "Package: ${NAME}";;
    esac`,
  'dpkg-deb': `
    if [ "$1" = --field ]; then
      read -r name version <"$2"
      [ "$3" = Package ] && echo "$name" || echo "$version"
    else echo "${NAME} $(cat "$HOST/installed")" >"$4"; fi`,
};

/** A host with version 1.0.0 of the agent, to which Main offers a package. */
class Host {
  readonly folder: string;
  readonly places: ReturnType<typeof agentPlaces>;
  /** Why the agent of a version does not come back. */
  readonly troubles = new Map<string, string>();
  /** Whether the state was in its place when the agent was first stopped. */
  hadState: boolean | undefined;

  constructor(t: TestContext) {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'xds-installer-'));
    const bin = path.join(this.folder, 'bin');
    mkdirSync(bin);
    for (const [tool, script] of Object.entries(TOOLS)) {
      writeFileSync(path.join(bin, tool), `#!/bin/sh\nHOST="${this.folder}"\n${script}\n`);
      chmodSync(path.join(bin, tool), 0o755);
    }
    const before = process.env['PATH'];
    process.env['PATH'] = `${bin}:${before}`;
    t.after(() => {
      process.env['PATH'] = before;
      rmSync(this.folder, { recursive: true, force: true });
    });
    this.places = agentPlaces(new Root(this.folder));
    mkdirSync(this.places.stateFolder, { recursive: true });
    writeFileSync(path.join(this.folder, 'installed'), '1.0.0\n');
    trustMain(this.places.installerFolder, pinOfPublicKey(MAIN.spki));
  }

  /** @param inside the package itself, where it is not what the offer says */
  offers(version: string, { key = MAIN, inside = `${NAME} ${version}` } = {}): void {
    const content = Buffer.from(`${inside}\n`);
    writeFileSync(clearInbox(this.places.upgradeInbox), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    handOver(this.places.upgradeInbox, signPackage(key.keyPem, { version, size: content.length, sha256 }));
  }

  /** A state with tables of this version. */
  has(schema: number): void {
    const db = new DatabaseSync(this.places.stateFile);
    db.exec(`PRAGMA user_version = ${schema}`);
    db.close();
  }

  install(): Promise<boolean> {
    const note = (what: string): void =>
      writeFileSync(path.join(this.folder, 'calls'), `${what}\n`, { flag: 'a' });
    return installOffered({
      places: this.places,
      agent: {
        stop: () => {
          this.hadState ??= existsSync(this.places.stateFile);
          return Promise.resolve(note('stop'));
        },
        start: () => note('start'),
        whyNotBack: (version) => Promise.resolve(this.troubles.get(version)),
      },
      log: createLogger('error', () => undefined),
      withinMs: 1,
    });
  }

  get calls(): string[] {
    const file = path.join(this.folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  get installed(): string {
    return readFileSync(path.join(this.folder, 'installed'), 'utf8').trim();
  }

  get outcome(): [ok: boolean, reason: string] {
    const outcome = readOutcome(this.places.installerFolder);
    assert.ok(outcome);
    return [outcome.ok, outcome.reason];
  }

  /** What is left in the installer's folder beside the outcome and the trusted key. */
  get left(): string[] {
    return readdirSync(this.places.installerFolder).filter(
      (name) => !['outcome.json', 'main-pin'].includes(name),
    );
  }
}

describe('The installer of an upgrade', () => {
  it("installs a newer package of the trusted Main's", async (t) => {
    const host = new Host(t);
    host.offers('1.1.0');
    assert.equal(await host.install(), true);
    assert.deepEqual(host.calls, ['stop', 'install 1.1.0', 'start']);
    assert.deepEqual(host.outcome, [true, 'upgraded from 1.0.0']);
    assert.deepEqual(host.left, []);
  });

  for (const [what, version] of [
    ['does not connect to Main', '1.1.0'],
    ['can not be installed', '9.9.9'],
  ] as const) {
    it(`puts the old agent back when the new one ${what}`, async (t) => {
      const host = new Host(t);
      host.offers(version);
      host.has(4);
      host.troubles.set('1.1.0', 'it is not back within 60 s');
      assert.equal(await host.install(), false);
      assert.equal(host.installed, '1.0.0');
      assert.ok(existsSync(host.places.stateFile), 'a state that the old agent reads stays');
      assert.deepEqual(host.calls.slice(-3), ['stop', 'install 1.0.0', 'start']);
      const [ok, reason] = host.outcome;
      assert.equal(ok, false);
      assert.match(
        reason,
        /(it is not back within 60 s|dpkg ended with 1: cannot unpack); 1\.0\.0 was put back$/,
      );
      assert.deepEqual(host.left, []);
    });
  }

  it('says so when the old agent does not come back either', async (t) => {
    const host = new Host(t);
    host.offers('1.1.0');
    host.troubles.set('1.1.0', 'it ended').set('1.0.0', 'it ended, too');
    assert.equal(await host.install(), false);
    assert.match(host.outcome[1], /^it ended; then 1\.0\.0 was put back, and fails too: it ended, too$/);
  });

  it('puts the old agent back when it finds that it was cut off, and its state aside when only the new one reads it', async (t) => {
    const host = new Host(t);
    const { installerFolder, stateFile } = host.places;
    const under = { offer: { version: '1.1.0', sha256: 'a'.repeat(64) }, from: '1.0.0', schema: 3 };
    writeFileSync(path.join(installerFolder, 'under-way.json'), JSON.stringify(under));
    writeFileSync(path.join(installerFolder, 'previous.deb'), `${NAME} 1.0.0\n`);
    writeFileSync(path.join(host.folder, 'installed'), '1.1.0\n');
    host.has(4);
    assert.equal(await host.install(), false);
    assert.equal(host.installed, '1.0.0');
    assert.match(host.outcome[1], /^the installation was cut off; 1\.0\.0 was put back$/);
    assert.deepEqual([existsSync(stateFile), existsSync(`${stateFile}.newer`)], [false, true]);
    assert.equal(host.hadState, true, 'a state is not moved away from under a running agent');
    assert.deepEqual(host.left, []);
  });

  for (const [what, version, how, why] of [
    ['that is not newer', '1.0.0', {}, /^1\.0\.0 is not newer than 1\.0\.0/],
    ['of another Main', '1.1.0', { key: makeKeyPair() }, /another key .* run mds_install\.sh here again/],
    [
      'with another program',
      '1.1.0',
      { inside: 'openssh-server 1.1.0' },
      /^the package is openssh-server 1\.1\.0, not/,
    ],
    [
      'with another version',
      '1.1.0',
      { inside: `${NAME} 1.0.5` },
      /^the package is .* 1\.0\.5, not .* 1\.1\.0/,
    ],
  ] as const) {
    it(`leaves the agent alone when it finds a package ${what}`, async (t) => {
      const host = new Host(t);
      host.offers(version, how);
      assert.equal(await host.install(), false);
      assert.deepEqual([host.calls, host.installed], [[], '1.0.0']);
      const [ok, reason] = host.outcome;
      assert.equal(ok, false);
      assert.match(reason, why);
      assert.deepEqual(host.left, []);
    });
  }

  it('does nothing without an offer', async (t) => {
    const host = new Host(t);
    clearInbox(host.places.upgradeInbox);
    assert.equal(await host.install(), false);
    assert.deepEqual(host.calls, []);
    assert.equal(readOutcome(host.places.installerFolder), undefined);
  });
});
