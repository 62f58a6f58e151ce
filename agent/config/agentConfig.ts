import { isIP } from 'node:net';
import type * as z from 'zod';
import { type Bandwidth, bandwidthField } from '#host/config/bandwidth.ts';
import { DEFAULT_DIRECTORIES, defaultDirectory } from '#host/config/directoryConfig.ts';
import {
  absolutePath,
  bytes,
  directoryName,
  duration,
  list,
  mdsName,
  parsed,
  section,
  shown,
} from '#host/config/fields.ts';
import { parseHostPort, type HostPort } from '#host/config/hostPort.ts';
import { shellWords } from '#core/text/shellWords.ts';
import { loadYamlFile, parseYamlConfig, type LoadedConfig } from '#host/config/yamlFile.ts';

/** An MDS's complete configuration: the settings of this host. Main's configuration decides what is synchronised and how. */
export type AgentConfig = {
  /** Undefined until the agent is enrolled. */
  readonly main?: HostPort;
  /** This MDS's name on Main; the host's name when absent. */
  readonly name?: string;
  /** The VoIP IP, used as source address; the system chooses when absent. */
  readonly localAddress?: string;
  /** Program and arguments, to which `-rx COMMAND` is appended; at least the program. */
  readonly asterisk: readonly string[];
  readonly bandwidth: Bandwidth;
  /** Directories with another path on this host than on Main; paths without the --root prefix. */
  readonly directories: readonly AgentDirectory[];
  /** Folders in which Main may place a directory on this host; without the --root prefix. */
  readonly allow: readonly string[];
  readonly trash: { readonly keepMs: number };
  /** Reserve of free space, bytes. */
  readonly reserveBytes: number;
};

export type AgentDirectory = { readonly name: string; readonly path: string };

const DAY_MS = 86_400_000;
/** The folders of a XiVO's telephony files. */
const DEFAULT_ALLOW = [
  '/etc/asterisk',
  '/var/lib/xivo',
  '/var/lib/asterisk',
  '/usr/share/asterisk/agi-bin',
] as const;

const entry = section({ name: directoryName(), path: absolutePath().optional() });

const directories = list(entry)
  .superRefine((entries, context) => {
    entries.forEach(({ name }, i) => {
      const first = entries.findIndex((other) => other.name === name);
      const message = `"${name}" is already used by directories[${first}]`;
      if (first !== i) context.addIssue({ code: 'custom', path: [i, 'name'], message });
    });
  })
  .transform((entries, context) =>
    entries.map((written, i): AgentDirectory => {
      const path = written.path ?? defaultDirectory(written.name)?.path;
      if (path === undefined) {
        context.addIssue({ code: 'custom', path: [i], message: `"${written.name}" needs a path` });
      }
      return { name: written.name, path: path ?? '' };
    }),
  )
  .superRefine((entries, context) => {
    entries.forEach(({ path }, i) => {
      const first = entries.findIndex((other) => other.path === path);
      const message = `"${path}" is already used by directories[${first}]`;
      if (first !== i) context.addIssue({ code: 'custom', path: [i, 'path'], message });
    });
  });

const agentSchema = section({
  main: parsed((value) => parseHostPort(mainText(value))).optional(),
  name: mdsName().optional(),
  localAddress: parsed(ipAddress).optional(),
  asterisk: parsed(command).default(['/usr/sbin/asterisk']),
  bandwidth: bandwidthField.prefault(0),
  directories: directories.default([]),
  allow: list(absolutePath()).default([...DEFAULT_ALLOW]),
  trash: section({ keep: duration(0, 3650 * DAY_MS).default(30 * DAY_MS) }).prefault({}),
  reserve: bytes().default(64 * 1024 * 1024),
}).transform(
  ({ main, name, localAddress, asterisk, bandwidth, directories, allow, trash, reserve }): AgentConfig => ({
    ...(main !== undefined && { main }),
    ...(name !== undefined && { name }),
    ...(localAddress !== undefined && { localAddress }),
    asterisk,
    bandwidth,
    directories,
    allow,
    trash: { keepMs: trash.keep },
    reserveBytes: reserve,
  }),
);

/**
 * Reads agent.yml; a missing or empty file gives all defaults.
 * @throws ConfigError naming file, line and key
 */
export function loadAgentConfig(file: string): LoadedConfig<AgentConfig> {
  return loadYamlFile<z.ZodType<AgentConfig>>(file, agentSchema);
}

/**
 * Checks the text of an agent.yml.
 * @param file only named in errors
 * @throws ConfigError naming file, line and key
 */
export function parseAgentConfig(file: string, yaml: string): AgentConfig {
  return parseYamlConfig<z.ZodType<AgentConfig>>(file, yaml, agentSchema);
}

function mainText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RangeError(
    `${shown(value)} is not HOST or HOST:PORT; an IPv6 address needs quotes: "[fd00::1]:9443"`,
  );
}

function ipAddress(value: unknown): string {
  if (typeof value === 'string' && isIP(value) !== 0) return value;
  throw new RangeError(`${shown(value)} is not an IP address`);
}

function command(value: unknown): string[] {
  const words: unknown[] = typeof value === 'string' ? shellWords(value) : Array.isArray(value) ? value : [];
  if (words.length === 0 || words[0] === '') {
    throw new RangeError(`${shown(value)} is not a command; write it in one line or as a list of words`);
  }
  return words.map((word, i) => {
    if (typeof word === 'string') return word;
    throw new RangeError(`word ${i + 1}, ${shown(word)}, is not text; put it in quotes`);
  });
}

/** Where directories lie here as long as Main has not said it: the four of a XiVO, and what this host adds or moves. */
export function usualPlaces({ directories }: AgentConfig): Map<string, string> {
  return new Map([...DEFAULT_DIRECTORIES, ...directories].map(({ name, path }) => [name, path]));
}

/** Names of the directories whose path is configured on this MDS. */
export function knownNames(config: AgentConfig): string[] {
  return [...usualPlaces(config).keys()];
}
