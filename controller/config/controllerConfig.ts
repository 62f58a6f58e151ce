import type * as z from 'zod';
import { MAX_RECONCILE_MS, MAX_SETTLE_MS, MIN_RECONCILE_MS } from '#protocol/limits.ts';
import {
  completeDirectory,
  DEFAULT_DIRECTORIES,
  directoryEntries,
  type DirectoryConfig,
} from '#host/config/directoryConfig.ts';
import {
  bytes,
  duration,
  list,
  mdsName,
  oneOf,
  parsed,
  section,
  text,
  wholeNumber,
} from '#host/config/fields.ts';
import { type MainBandwidth, mainBandwidthField } from '#host/config/bandwidth.ts';
import { parseHostPort, type HostPort } from '#host/config/hostPort.ts';
import { metricsSchema, type NotifyTarget, notifySchema, pageSchema, type Served } from './observation.ts';
import { loadYamlFile, parseYamlConfig, type LoadedConfig } from '#host/config/yamlFile.ts';

/** Main's complete configuration: defaults are filled in, quantities are in milliseconds or bytes. */
export type ControllerConfig = {
  readonly listen: HostPort;
  readonly reconcile: { readonly everyMs: number };
  readonly directories: readonly DirectoryConfig[];
  /** Retention of replaced and removed files, and the most bytes of older versions. */
  readonly trash: { readonly keepMs: number; readonly budgetBytes: number };
  /** A pass that removes more than both is held. */
  readonly guard: { readonly percent: number; readonly files: number };
  /** Free space that is never used, bytes. */
  readonly reserveBytes: number;
  readonly mediaServers: MediaServersConfig;
  /** Lifetime of the certificates that Main issues to agents, milliseconds. */
  readonly certificates: { readonly lifeMs: number };
  /** MDS that get a change before the others. */
  readonly canary: readonly string[];
  /** Bandwidth limits of all MDS together and of single ones. */
  readonly bandwidth: MainBandwidth;
  /** The group whose members may read the status. */
  readonly monitoring: { readonly group: string };
  /** The status page, for people. */
  readonly page: Served;
  /** The same for Prometheus. */
  readonly metrics: Served;
  /** Targets of notifications. */
  readonly notify: readonly NotifyTarget[];
};

export type MediaServersConfig =
  | { readonly source: 'enrolled' }
  | { readonly source: 'postgres'; readonly url?: string; readonly query?: string }
  | { readonly source: 'http'; readonly url: string; readonly token?: string };

const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** Dates in certificates are whole seconds; below this, rounding would matter. */
const MIN_CERTIFICATE_MS = 10 * SECOND;
const MAX_TRASH_MS = 3650 * DAY;

const mediaServers = section({
  source: oneOf('enrolled', 'postgres', 'http').default('enrolled'),
  url: text().optional(),
  query: text().optional(),
  token: text().optional(),
})
  .superRefine(({ source, url, query, token }, context) => {
    const refuse = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (source === 'enrolled' && url !== undefined) refuse('url', 'only used with source: postgres or http');
    if (source === 'http' && url === undefined) refuse('url', 'source: http needs the URL of the list');
    if (source !== 'postgres' && query !== undefined) refuse('query', 'only used with source: postgres');
    if (source !== 'http' && token !== undefined) refuse('token', 'only used with source: http');
  })
  .transform(({ source, url, query, token }): MediaServersConfig => {
    if (source === 'enrolled') return { source };
    if (source === 'http') return { source, url: url ?? '', ...(token !== undefined && { token }) };
    return { source, ...(url !== undefined && { url }), ...(query !== undefined && { query }) };
  });

const controllerSchema = section({
  listen: parsed((value) => parseHostPort(listenText(value))).default(parseHostPort('0.0.0.0')),
  reconcile: section({ every: duration(MIN_RECONCILE_MS, MAX_RECONCILE_MS).default(900 * SECOND) }).prefault(
    {},
  ),
  settle: duration(0, MAX_SETTLE_MS).default(300),
  reload: oneOf('changed', 'always').default('changed'),
  directories: directoryEntries.prefault(DEFAULT_DIRECTORIES.map(({ name }) => ({ name }))),
  trash: section({
    keep: duration(0, MAX_TRASH_MS).default(30 * DAY),
    budget: bytes().default(4 * 1024 ** 3),
  }).prefault({}),
  guard: section({
    percent: wholeNumber(0, 100).default(25),
    files: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(10),
  }).prefault({}),
  reserve: bytes().default(64 * 1024 * 1024),
  certificates: section({
    life: duration(MIN_CERTIFICATE_MS, 3650 * DAY).default(90 * DAY),
  }).prefault({}),
  mediaServers: mediaServers.prefault({}),
  canary: list(mdsName()).default([]),
  bandwidth: mainBandwidthField.prefault(0),
  monitoring: section({ group: text().default('adm') }).prefault({}),
  page: pageSchema.prefault({}),
  metrics: metricsSchema.prefault({}),
  notify: notifySchema.default([]),
}).transform((written): ControllerConfig => ({
  listen: written.listen,
  reconcile: { everyMs: written.reconcile.every },
  directories: written.directories.map((directory) =>
    completeDirectory(directory, { settleMs: written.settle, reloadAlways: written.reload === 'always' }),
  ),
  trash: { keepMs: written.trash.keep, budgetBytes: written.trash.budget },
  guard: written.guard,
  reserveBytes: written.reserve,
  certificates: { lifeMs: written.certificates.life },
  mediaServers: written.mediaServers,
  canary: written.canary,
  bandwidth: written.bandwidth,
  monitoring: written.monitoring,
  page: written.page,
  metrics: written.metrics,
  notify: written.notify,
}));

/**
 * Reads controller.yml; a missing or empty file gives all defaults.
 * @throws ConfigError naming file, line and key
 */
export function loadControllerConfig(file: string): LoadedConfig<ControllerConfig> {
  return loadYamlFile<z.ZodType<ControllerConfig>>(file, controllerSchema);
}

/**
 * Checks the text of a controller.yml.
 * @param file only named in errors
 * @throws ConfigError naming file, line and key
 */
export function parseControllerConfig(file: string, yaml: string): ControllerConfig {
  return parseYamlConfig<z.ZodType<ControllerConfig>>(file, yaml, controllerSchema);
}

function listenText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RangeError('write ADDRESS:PORT, such as 0.0.0.0:9443 or "[::]:9443" (in quotes)');
}
