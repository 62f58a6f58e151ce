import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Causes } from './parts/causes.tsx';
import { Changes } from './parts/changes.tsx';
import { ChangeSetPage } from './changeSetPage.tsx';
import { timeText } from './format.ts';
import { type Live, useLive } from './live.ts';
import { MainSection } from './parts/mainSection.tsx';
import { MdsPage } from './mdsPage.tsx';
import { MdsTable } from './parts/mdsTable.tsx';
import { Travelling } from './parts/travelling.tsx';
import { Conflicts } from './parts/conflicts.tsx';
import { Summary } from './parts/summary.tsx';
import { TrashPage } from './trashPage.tsx';
import { LANGUAGE, t } from './translate.ts';

/** The page stands on one address: what is looked at comes after `#`, so that it works below any path of a proxy. */
function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return hash;
}

function Page() {
  const live = useLive();
  const hash = useHash();
  return (
    <>
      <a class="skip" href="#content">
        {t('skip')}
      </a>
      <header>
        <a href="#/">xivo-xds-sync</a> {t('title')}
      </header>
      {live.lostAt !== undefined && (
        <p class="lost" role="alert">
          {t('lost', { time: timeText(live.lostAt) })}
        </p>
      )}
      <main id="content" tabIndex={-1}>
        <Content live={live} hash={hash} />
      </main>
    </>
  );
}

function Content({ live: { overview }, hash }: { readonly live: Live; readonly hash: string }) {
  if (overview === undefined) return <p role="status">{t('connecting')}</p>;
  const [, kind, name] = /^#\/(mds|change)\/(.+)$/.exec(hash) ?? [];
  const back = (
    <p>
      <a href="#/">← {t('back')}</a>
    </p>
  );
  if (kind === 'mds' && name !== undefined) {
    return (
      <>
        {back}
        <MdsPage name={decode(name)} overview={overview} />
      </>
    );
  }
  if (kind === 'change' && name !== undefined) {
    return (
      <>
        {back}
        <ChangeSetPage id={decode(name)} />
      </>
    );
  }
  if (hash === '#/trash') {
    return (
      <>
        {back}
        <TrashPage />
      </>
    );
  }
  return (
    <>
      <h1 class="unseen">{t('title')}</h1>
      <Summary status={overview.status} />
      <Causes causes={overview.status.causes} excerpts={overview.excerpts} />
      <MdsTable overview={overview} />
      <Travelling mds={overview.status.mds} />
      <Changes changeSets={overview.changeSets} />
      <Conflicts conflicts={overview.conflicts} />
      <p>
        <a href="#/trash">{t('trash')}</a>
      </p>
      <MainSection status={overview.status} />
    </>
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

document.documentElement.lang = LANGUAGE;
document.title = `xivo-xds-sync: ${t('title')}`;
const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
