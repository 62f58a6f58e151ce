import type * as z from 'zod';
import type { Contract, DeepReadonly, Handlers, ResultOf } from '#host/control/contract.ts';
import { differencesContract } from './differences.ts';
import { mainContract } from './main.ts';
import { mdsContract } from './mds.ts';
import { passesContract } from './passes.ts';
import { pastContract } from './past.ts';
import { statusContract } from './status.ts';
import type { dialplanChange, mdsPass } from './common.ts';

/**
 * The commands of the control socket. A new command is an entry in one of these, a handler beside
 * controller/control/api.ts, and a file in controller/cli.
 */
export const controllerContract = {
  ...statusContract,
  ...passesContract,
  ...pastContract,
  ...differencesContract,
  ...mdsContract,
  ...mainContract,
} satisfies Contract;

export type ControllerContract = typeof controllerContract;
export type ControllerCommand = keyof ControllerContract;
export type ControllerHandlers = Handlers<ControllerContract>;
/** The result of a command. */
export type Result<N extends ControllerCommand> = DeepReadonly<ResultOf<ControllerContract, N>>;

export type Status = Result<'status'>;
/** A status without the conditions, which are added later. */
export type Facts = Omit<Status, 'causes'>;
export type MdsStatus = Status['mds'][number];
export type MdsState = MdsStatus['state'];
export type DirectoryStatus = MdsStatus['directories'][number];
export type RotationStatus = Result<'rotate-begin'>;
export type HostVerification = Result<'verify'>['main'];
export type RolledBack = Result<'rollback'>;
export type RollOut = Result<'mds-upgrade'>;
export type UpgradeResult = RollOut['mds'][number];
export type Difference = Result<'diff'>['differences'][number];
export type TextDifference = Result<'diff'>['contents'][number];
export type ListedTrash = Result<'trash-list'>['items'][number];
export type HistoryEntry = Result<'history'>['entries'][number];
export type MdsPass = DeepReadonly<z.output<typeof mdsPass>>;
export type DialplanChange = DeepReadonly<z.output<typeof dialplanChange>>;
