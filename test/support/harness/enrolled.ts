import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { bundles } from './bundles.ts';

/** What an initialised Main and its enrolled MDS have on disk, relative to each one's root. */
const FILES = [
  'etc/xivo-xds-sync',
  'usr/share/xivo-certs',
  'var/lib/xivo-xds-sync',
  'var/lib/xivo-xds-sync-upgrade',
];

/** Certificates and tokens have dates: what is kept is good for the day on which it was made. */
const DAY = 86_400_000;

/**
 * Hosts that were initialised and enrolled once by the real programs, and are copied for each test that starts with
 * such hosts. Initialising Main and enrolling two MDS starts five programs, which most tests have nothing to say about.
 */
export class EnrolledHosts {
  readonly #folder: string;

  /** @param names of the MDS, in the order in which they are enrolled */
  constructor(names: readonly string[]) {
    const today = Math.floor(Date.now() / DAY);
    this.#folder = path.join(bundles(), 'enrolled', `${today}-${names.join('+')}`);
  }

  get exist(): boolean {
    return existsSync(this.#folder);
  }

  /** Keeps what hosts that have just been enrolled have. Of two at a time, the first to end is kept. */
  keep(hosts: readonly { readonly name: string; readonly root: string }[]): void {
    mkdirSync(path.dirname(this.#folder), { recursive: true });
    const fresh = mkdtempSync(`${this.#folder}.`);
    for (const { name, root } of hosts) {
      copyFiles(root, path.join(fresh, name));
      // It knows the directories of this host, which are not those of its copies.
      for (const file of globSync('var/lib/xivo-xds-sync/state.sqlite*', { cwd: path.join(fresh, name) }))
        rmSync(path.join(fresh, name, file));
    }
    try {
      renameSync(fresh, this.#folder);
    } catch (error) {
      rmSync(fresh, { recursive: true });
      if (!this.exist) throw error;
    }
  }

  /** Gives a host what it has after its enrolment. @param port where this test's Main listens */
  give(host: { readonly name: string; readonly root: string }, port: number): void {
    copyFiles(path.join(this.#folder, host.name), host.root);
    for (const file of ['controller.yml', 'agent.yml']) {
      const config = path.join(host.root, 'etc/xivo-xds-sync', file);
      if (!existsSync(config)) continue;
      const text = readFileSync(config, 'utf8');
      writeFileSync(config, text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`));
    }
  }
}

function copyFiles(from: string, to: string): void {
  for (const each of FILES) {
    if (existsSync(path.join(from, each)))
      cpSync(path.join(from, each), path.join(to, each), { recursive: true, preserveTimestamps: true });
  }
}
