import type * as z from 'zod';

/**
 * The commands of a daemon's control socket: for each command the schemas of its arguments and of its result. Client and
 * server infer their types from it and check against it.
 */
export type Contract = Readonly<Record<string, { readonly args: z.ZodType; readonly result: z.ZodType }>>;

export type NameIn<C extends Contract> = keyof C & string;
/** The arguments that the client passes. */
export type ArgsIn<C extends Contract, N extends NameIn<C>> = z.input<C[N]['args']>;
/** The validated result that the client gets. */
export type ResultOf<C extends Contract, N extends NameIn<C>> = z.output<C[N]['result']>;

/** The result that a handler returns; readonly data is allowed. */
export type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Progress of a long command. Fields that are unknown or do not apply are null. */
export type Progress = {
  /** The host concerned: `main` or the name of an MDS. */
  readonly host: string;
  /** The current step there, such as `reading` or `sending`. */
  readonly doing: string;
  readonly files: number;
  readonly filesTotal: number | null;
  readonly bytes: number;
  readonly bytesTotal: number | null;
};

/** The caller of a command. */
export type Call = {
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Such as `command by alice`. */
  readonly by: string;
  /** Sends progress to the client; a no-op when the client did not ask for it. */
  readonly progress: (progress: Progress) => void;
};

export type Handlers<C extends Contract> = {
  readonly [N in NameIn<C>]: (
    args: z.output<C[N]['args']>,
    call: Call,
  ) => DeepReadonly<z.input<C[N]['result']>> | Promise<DeepReadonly<z.input<C[N]['result']>>>;
};
