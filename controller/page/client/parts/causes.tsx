import type { ExcerptLine, Overview } from '../../overview.ts';
import { durationText, nameText, timeText } from '../format.ts';
import { t } from '../translate.ts';

type Cause = Overview['status']['causes'][number];

/** What is wrong, each cause once, worst first: state, cause and action as the command line says them. */
export function Causes({
  causes,
  excerpts,
}: {
  readonly causes: readonly Cause[];
  readonly excerpts: Overview['excerpts'];
}) {
  if (causes.length === 0) return null;
  return (
    <section aria-labelledby="wrong">
      <h2 id="wrong">{t('whatIsWrong')}</h2>
      <ul class="causes">
        {causes.map((cause) => (
          <li class={cause.severity} key={`${cause.kind} ${cause.cause}`}>
            <p>
              <strong>{t(`kind.${cause.kind}`)}</strong>{' '}
              {cause.mds.length > 0 && <span class="who">{cause.mds.map(nameText).join(', ')}</span>}{' '}
              <time dateTime={cause.since} title={timeText(cause.since)}>
                {t('since', { time: `${timeText(cause.since)} (${sinceText(cause.since)})` })}
              </time>
            </p>
            <p lang="en">{nameText(cause.cause)}</p>
            <Excerpt lines={excerptOf(cause, excerpts)} cause={cause.cause} />
            <p>
              {t('toDo')}: <code lang="en">{nameText(cause.action)}</code>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Excerpt({ lines, cause }: { readonly lines: readonly ExcerptLine[]; readonly cause: string }) {
  if (lines.length === 0) return null;
  const guilty = lineOf(cause);
  return (
    <pre class="excerpt" tabIndex={0}>
      {lines.map(({ line, text }) => (
        <span class={line === guilty ? 'guilty' : ''} key={line}>
          {String(line).padStart(5)} {nameText(text)}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function excerptOf(cause: Cause, excerpts: Overview['excerpts']): readonly ExcerptLine[] {
  return excerpts[`${cause.path ?? ''}:${lineOf(cause.cause)}`] ?? [];
}

function lineOf(cause: string): number {
  return Number(/\bline (\d+)\b/.exec(cause)?.[1]);
}

function sinceText(iso: string): string {
  return durationText(Math.max(0, (Date.now() - Date.parse(iso)) / 1_000));
}
