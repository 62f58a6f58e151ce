import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { PackageOffer } from '#protocol/messages/common.ts';
import type { AgentPlaces } from '#host/config/places.ts';
import { writeFileDurably } from '#host/fs/durableFile.ts';
import { whyNotSigned } from '#host/identity/packageSignature.ts';
import type { Logger } from '#host/log/logger.ts';
import { describePackage, install, installedVersion, isNewer, PACKAGE, repack } from './dpkg.ts';
import { takeOffer } from './inbox.ts';
import { writeOutcome } from './outcome.ts';
import type { RunningAgent } from './runningAgent.ts';
import { schemaOf, setStateAside } from './stateSchema.ts';
import { trustedMain } from './trustedMain.ts';

export type InstallerOptions = {
  readonly places: AgentPlaces;
  readonly agent: RunningAgent;
  readonly log: Logger;
  /** Timeout for the new agent to connect to Main, milliseconds. */
  readonly withinMs: number;
};

/** Exists while packages are exchanged. An installer that finds it at its start was interrupted, such as by a power cut. */
const underSchema = z.object({
  offer: z.object({ version: z.string(), sha256: z.string() }),
  from: z.string(),
  schema: z.number(),
});
type Under = Readonly<z.infer<typeof underSchema>>;

/**
 * Installs the package in the inbox, as root, and restores the old one when the new agent does not connect.
 * @returns whether the new agent runs
 */
export async function installOffered(options: InstallerOptions): Promise<boolean> {
  const { places, log } = options;
  const folder = places.installerFolder;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const files = {
    next: path.join(folder, 'next.deb'),
    previous: path.join(folder, 'previous.deb'),
    under: path.join(folder, 'under-way.json'),
  };
  try {
    if (existsSync(files.under)) {
      const under = underSchema.parse(JSON.parse(readFileSync(files.under, 'utf8')));
      return await putBack(under, 'the installation was cut off', files, options);
    }
    const checked = prepare(files, options);
    if ('refusal' in checked) {
      if (checked.offer !== undefined) reportOutcome(folder, checked.offer, false, checked.refusal);
      log.error('the offered agent is not installed', { reason: checked.refusal });
      return false;
    }
    const { offer, from } = checked;
    const under = { offer, from, schema: schemaOf(places.stateFile) } satisfies Under;
    writeFileDurably(files.under, JSON.stringify(under), { mode: 0o600 });
    log.info('installing the offered agent', { from, to: offer.version });
    const trouble = await exchange(files.next, offer.version, options);
    if (trouble !== undefined) return await putBack(under, trouble, files, options);
    rmSync(files.under);
    reportOutcome(folder, offer, true, `upgraded from ${from}`);
    log.info('the new agent is connected', { from, to: offer.version });
    return true;
  } finally {
    if (!existsSync(files.under))
      for (const file of [files.next, files.previous]) rmSync(file, { force: true });
  }
}

type Files = { readonly next: string; readonly previous: string; readonly under: string };

/** Takes the package out of the inbox, if Main signed it and it is an upgrade, and packs the installed version. */
function prepare(
  { next, previous }: Files,
  { places }: InstallerOptions,
): { offer: PackageOffer; from: string } | { offer?: PackageOffer; refusal: string } {
  let offered: PackageOffer | undefined;
  const vouched = (offer: PackageOffer): void => {
    offered = offer;
    const refusal = whyNotSigned(offer, trustedMain(places.installerFolder));
    if (refusal !== undefined)
      throw new Error(`${refusal}. If Main has another key now, run mds_install.sh here again`);
  };
  try {
    const offer = takeOffer(places.upgradeInbox, vouched, next);
    const from = installedVersion();
    const { name, version } = describePackage(next);
    if (name !== PACKAGE || version !== offer.version)
      return { offer, refusal: `the package is ${name} ${version}, not ${PACKAGE} ${offer.version}` };
    if (!isNewer(version, from))
      return { offer, refusal: `${version} is not newer than ${from}, which is installed` };
    repack(path.join(places.installerFolder, 'previous.tree'), previous);
    return { offer, from };
  } catch (error) {
    const refusal = error instanceof Error ? error.message : String(error);
    return { ...(offered !== undefined && { offer: offered }), refusal };
  }
}

/** @returns why the agent of that version is not running; undefined when it is */
async function exchange(
  file: string,
  version: string,
  { agent, withinMs }: InstallerOptions,
): Promise<string | undefined> {
  try {
    await agent.stop();
    await install(file);
    agent.start();
    return await agent.whyNotBack(version, withinMs);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function putBack(under: Under, why: string, files: Files, options: InstallerOptions): Promise<boolean> {
  const { places, log } = options;
  const { offer, from, schema } = under;
  log.error('the new agent is taken back', { from: offer.version, to: from, reason: why });
  // Before the old agent starts, so that it can report it to Main.
  reportOutcome(places.installerFolder, offer, false, `${why}; ${from} was put back`);
  await options.agent.stop();
  // The old agent can't read a newer state; without a state it builds one from disk.
  if (schemaOf(places.stateFile) > schema) setStateAside(places.stateFile);
  const trouble = await exchange(files.previous, from, options);
  if (trouble === undefined) log.info('the old agent is back', { version: from });
  else {
    log.error('the old agent is not back', { version: from, reason: trouble });
    reportOutcome(
      places.installerFolder,
      offer,
      false,
      `${why}; then ${from} was put back, and fails too: ${trouble}`,
    );
  }
  rmSync(files.under);
  return false;
}

function reportOutcome(
  folder: string,
  { sha256, version }: Under['offer'],
  ok: boolean,
  reason: string,
): void {
  writeOutcome(folder, { at: new Date().toISOString(), sha256, version, ok, reason: reason.slice(0, 2_000) });
}
