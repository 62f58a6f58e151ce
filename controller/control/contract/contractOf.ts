import type { ControllerCommand, ControllerContract } from './contract.ts';

const passes = async () => (await import('./passes.ts')).passesContract;
const past = async () => (await import('./past.ts')).pastContract;
const differences = async () => (await import('./differences.ts')).differencesContract;
const mds = async () => (await import('./mds.ts')).mdsContract;
const main = async () => (await import('./main.ts')).mainContract;

/** Loads a command's part of the contract: to make the schemas of all commands costs more than most of their answers. */
export const contractOf: {
  readonly [N in ControllerCommand]: () => Promise<Pick<ControllerContract, N>>;
} = {
  status: async () => (await import('./status.ts')).statusContract,
  sync: passes,
  plan: passes,
  confirm: passes,
  verify: passes,
  why: passes,
  history: past,
  'trash-list': past,
  'trash-restore': past,
  rollback: past,
  diff: differences,
  adopt: differences,
  revert: differences,
  prune: differences,
  'mds-add': mds,
  'mds-list': mds,
  'mds-upgrade': mds,
  'mds-approve': mds,
  'mds-forget': mds,
  'mds-remove': mds,
  pause: main,
  resume: main,
  'rotate-begin': main,
  'rotate-abandon': main,
  'rotate-finish': main,
};
