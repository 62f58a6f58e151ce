import type { z } from 'zod';

/**
 * What a daemon can be asked over its control socket: for each command the schema of its arguments and that of its
 * result. Both ends take their types and their checks from it.
 */
export type Contract = Readonly<Record<string, { readonly args: z.ZodType; readonly result: z.ZodType }>>;

export type NameIn<C extends Contract> = keyof C & string;
/** What a person's command hands in. */
export type ArgsIn<C extends Contract, N extends NameIn<C>> = z.input<C[N]['args']>;
/** What the client gets, checked. */
export type ResultOf<C extends Contract, N extends NameIn<C>> = z.output<C[N]['result']>;

/** A handler may answer with what it must not change itself. */
export type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** How far a long command is. What is not known yet, or does not apply, is null. */
export type Progress = {
  /** The host that it is about: `main` or the name of an MDS. */
  readonly host: string;
  /** What is being done there, such as `reading` or `sending`. */
  readonly doing: string;
  readonly files: number;
  readonly filesTotal: number | null;
  readonly bytes: number;
  readonly bytesTotal: number | null;
};

/** Who asks, and how to reach them while they wait. */
export type Call = {
  /** Aborted when the person has gone. */
  readonly signal: AbortSignal;
  /** Such as `command by alice`. */
  readonly by: string;
  /** Shown while the command goes on; costs nothing when nobody looks. */
  readonly progress: (progress: Progress) => void;
};

export type Handlers<C extends Contract> = {
  readonly [N in NameIn<C>]: (
    args: z.output<C[N]['args']>,
    call: Call,
  ) => DeepReadonly<z.input<C[N]['result']>> | Promise<DeepReadonly<z.input<C[N]['result']>>>;
};
