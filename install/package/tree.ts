import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PackageDescription } from './packages.ts';

const FILES = path.join(import.meta.dirname, 'files');
const MAINTAINER = 'xivo-xds-sync developers <xivo-xds-sync@packages.debian.org>';
/** Scripts that dpkg runs. */
const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
/** Only Main's package meets a program of its own name. */
const PREINST = { 'xivo-xds-sync': ['preinst'], 'xivo-xds-sync-agent': [] } as const;

export type TreeOptions = {
  /** Holds usr/lib/NAME already: the program and Node. */
  readonly tree: string;
  readonly described: PackageDescription;
  readonly checkout: string;
  readonly version: string;
  /** Seconds since 1970: no file in the package is younger. */
  readonly builtAt: number;
  /** Made from the description of its command line. */
  readonly help: { readonly manual: string; readonly completion: string };
  readonly out: string;
  /** Arguments of dpkg-deb. */
  readonly compression: readonly string[];
};

/** Completes the package's folder and packs it. @returns the package's file */
export function packTree(options: TreeOptions): string {
  const { tree, described, checkout, version, builtAt } = options;
  const { name, configuration } = described;
  const install = path.join(checkout, 'install');
  const write = (file: string, content: string | Uint8Array, mode = 0o644): void => {
    const target = path.join(tree, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
    chmodSync(target, mode);
  };
  const fill = (file: string): string =>
    readFileSync(path.join(FILES, file), 'utf8')
      .replaceAll('@NAME@', name)
      .replaceAll('@UNITS@', described.units.filter((unit) => !unit.endsWith('upgrade.service')).join(' '))
      .replaceAll('@CONFIGURATION@', configuration.name)
      .replaceAll('@OTHER@', name === 'xivo-xds-sync' ? 'xivo-xds-sync-agent' : 'xivo-xds-sync');

  write(`usr/bin/${name}`, fill('launcher'), 0o755);
  for (const module of ['main.mjs', 'fillCache.mjs']) write(`usr/lib/${name}/${module}`, fill(module));
  for (const unit of described.units)
    write(`lib/systemd/system/${unit}`, readFileSync(path.join(install, unit)));
  write(`etc/xivo-xds-sync/${configuration.name}`, configuration.text, configuration.mode);
  write(`usr/share/man/man8/${name}.8.gz`, zipped(options.help.manual));
  write(`usr/share/bash-completion/completions/${name}`, options.help.completion);
  write(`usr/share/doc/${name}/copyright`, fill('copyright'));
  write(`usr/share/doc/${name}/changelog.gz`, zipped(changelog(name, version, builtAt)));
  // What README.md and docs/ say stands beside the program, as they lie in the checkout: their links hold.
  for (const file of ['README.md', ...globSync('docs/**/*.{md,json,png}', { cwd: checkout })])
    write(`usr/share/doc/${name}/${file}`, readFileSync(path.join(checkout, file)));
  if (name === 'xivo-xds-sync') {
    for (const file of readdirSync(path.join(install, 'monitoring')))
      write(
        `usr/share/doc/${name}/examples/${file}`,
        readFileSync(path.join(install, 'monitoring', file)),
        file.endsWith('.sh') ? 0o755 : 0o644,
      );
  }
  write(`usr/share/lintian/overrides/${name}`, fill('lintian-overrides'));
  // Main gives these to its MDS; on an MDS the script also takes itself off again.
  const scripts = `usr/share/${name}`;
  write(`${scripts}/mds_install.sh`, readFileSync(path.join(install, 'mds_install.sh')), 0o755);
  if (name === 'xivo-xds-sync') {
    const agent = `xivo-xds-sync-agent_${version}_amd64.deb`;
    copyFileSync(path.join(options.out, agent), path.join(tree, scripts, 'xivo-xds-sync-agent.deb'));
  }

  const installed = globSync('**/*', { cwd: tree })
    .map((file) => ({ file, stat: statSync(path.join(tree, file)) }))
    .filter(({ stat }) => stat.isFile());
  const kilobytes = installed.reduce((sum, { stat }) => sum + Math.ceil(stat.size / 1024), 0);
  const md5 = installed
    .filter(({ file }) => !file.startsWith('etc/'))
    .map(
      ({ file }) =>
        `${createHash('md5')
          .update(readFileSync(path.join(tree, file)))
          .digest('hex')}  ${file}\n`,
    )
    .toSorted();
  write('DEBIAN/control', control(described, version, kilobytes));
  write('DEBIAN/conffiles', `/etc/xivo-xds-sync/${configuration.name}\n`);
  write('DEBIAN/md5sums', md5.join(''));
  for (const script of [...PREINST[name], ...MAINTAINER_SCRIPTS])
    write(`DEBIAN/${script}`, fill(script), 0o755);

  const file = path.join(options.out, `${name}_${version}_amd64.deb`);
  rmSync(file, { force: true });
  execFileSync('chmod', ['-R', 'go-w,a+rX', tree]);
  chmodSync(path.join(tree, 'etc/xivo-xds-sync', configuration.name), configuration.mode);
  execFileSync('dpkg-deb', ['--root-owner-group', ...options.compression, '--build', tree, file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(builtAt) },
  });
  return file;
}

function control(described: PackageDescription, version: string, kilobytes: number): string {
  const { name, synopsis, description } = described;
  return `Package: ${name}
Version: ${version}
Section: net
Priority: optional
Architecture: amd64
Maintainer: ${MAINTAINER}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libgcc-s1 (>= 3.4), libstdc++6 (>= 6)
Description: ${synopsis}
 ${description.join('\n .\n ')}
`;
}

function changelog(name: string, version: string, builtAt: number): string {
  const date = new Date(builtAt * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) stable; urgency=medium\n\n  * Version ${version}; the project's history tells more.\n\n -- ${MAINTAINER}  ${date}\n`;
}

/** As `gzip -9n`: without a time, so that the same text gives the same bytes. */
function zipped(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
