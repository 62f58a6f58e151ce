import type { Overview } from '../../overview.ts';
import { t } from '../translate.ts';

/** Is everything in sync? One sentence, read aloud when it changes. */
export function Summary({ status }: { readonly status: Overview['status'] }) {
  const mds = status.mds.filter(({ state }) => state !== 'revoked');
  const behind = mds.filter(({ inSync }) => !inSync).length;
  const away = mds.filter(({ state }) => state === 'disconnected').length;
  const onMain = status.causes.some((cause) => cause.mds.length === 0 && cause.severity === 'critical');
  const fine = behind === 0 && !onMain;
  const words = [
    ...(mds.length === 0 ? [t('noMds')] : []),
    ...(behind > 0 ? [t('someBehind', { behind, count: mds.length })] : []),
    ...(away > 0 ? [t('someAway', { away })] : []),
    ...(onMain ? [t('mainTrouble')] : []),
    ...(fine && mds.length > 0 ? [t('allInSync', { count: mds.length })] : []),
  ];
  return (
    <p class={`summary ${fine ? 'fine' : 'bad'}`} role="status">
      {words.join('; ')}
    </p>
  );
}
