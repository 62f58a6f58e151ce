import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildVersion } from './build.ts';
import type { Host } from './host.ts';

const NAME = 'xivo-xds-sync-agent';

/**
 * Agents of several versions, and a dpkg that "installs" one of them on an MDS in a folder: it turns a link to the
 * version that a package names. The packages are real ones, but for what is in them.
 */
export class AgentVersions {
  readonly #folder: string;
  readonly #programs: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#programs = path.join(folder, 'programs');
    mkdirSync(this.#programs, { recursive: true });
    this.#writeTools();
  }

  /** Builds this tree's agent as that version. */
  async build(version: string): Promise<void> {
    await buildVersion(NAME, { folder: path.join(this.#programs, version), version });
  }

  /** A version whose program ends as soon as it is started. */
  buildBroken(version: string): void {
    mkdirSync(path.join(this.#programs, version), { recursive: true });
    writeFileSync(
      path.join(this.#programs, version, 'program.mjs'),
      `console.error('broken'); process.exit(7);\n`,
    );
  }

  /** Makes the package of a version. */
  pack(version: string, file: string): void {
    const tree = path.join(this.#folder, `tree-${version}`);
    mkdirSync(path.join(tree, 'DEBIAN'), { recursive: true });
    writeFileSync(path.join(tree, 'DEBIAN/control'), controlOf(version));
    mkdirSync(path.dirname(file), { recursive: true });
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
  }

  /** Lets a host run the version as if its package were installed. */
  install(host: Host, version: string): void {
    const current = this.#currentOf(host);
    symlinkSync(path.join(this.#programs, version), current);
    const node = path.resolve(import.meta.dirname, '../../../node_modules/node/bin/node');
    host.launcher = [
      'env',
      `PATH=${this.#folder}/bin:${process.env['PATH']}`,
      `CURRENT=${current}`,
      node,
      '--disable-warning=ExperimentalWarning',
      path.join(current, 'program.mjs'),
    ];
  }

  /** The version that is installed on a host. */
  installed(host: Host): string {
    return path.basename(readlinkSync(this.#currentOf(host)));
  }

  #currentOf(host: Host): string {
    return path.join(host.root, 'current');
  }

  #writeTools(): void {
    const version = '$(basename "$(readlink "$CURRENT")")';
    this.#tool(
      'dpkg',
      `[ "$1" != --compare-versions ] || exec /usr/bin/dpkg "$@"
[ "$1 $2" = '--force-confold --install' ] || exit 2
ln -sfn "${this.#programs}/$(dpkg-deb --field "$3" Version)" "$CURRENT"`,
    );
    this.#tool(
      'dpkg-query',
      `case $1 in
  --search) echo "${NAME}: $2" ;;
  --show) printf '%s' "${version}" ;;
  --listfiles) printf '/.\\n/etc\\n/etc/passwd\\n' ;;
  --control-path) : ;;
  --status) printf '%s\\n' '${controlOf('@').trim().replaceAll('\n', "' '")}' | sed "s/@/${version}/; 1a Status: install ok installed" ;;
  *) exit 2 ;;
esac`,
    );
  }

  #tool(name: string, script: string): void {
    const file = path.join(this.#folder, 'bin', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
}

function controlOf(version: string): string {
  return `Package: ${NAME}
Version: ${version}
Architecture: amd64
Maintainer: a test <test@example.org>
Description: a test
`;
}
