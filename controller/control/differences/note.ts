import type { Controller } from '../../daemon/controller.ts';

/** Writes what a person had done to one path of an MDS into Main's history. */
export function note(
  { history, keeper, clock }: Controller,
  row: {
    readonly mds: string;
    readonly directory: string;
    readonly path: string;
    readonly kind: string;
    readonly reason: string;
    readonly actor: string;
  },
): void {
  const at = clock.now();
  keeper.write(() => history.add({ ...row, at, changeSet: '', detail: `${row.path}: ${row.reason}` }));
}
