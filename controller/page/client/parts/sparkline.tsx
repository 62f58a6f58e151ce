import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { durationText } from '../format.ts';
import { t } from '../translate.ts';

/** Minutes between two figures. */
const STEP = 5;

/** How far an MDS was behind: small beside its name, or with axes on its own page. */
export function Sparkline({
  mds,
  values,
  axes = false,
}: {
  readonly mds: string;
  readonly values: readonly (number | null)[];
  readonly axes?: boolean;
}) {
  const holder = useRef<HTMLDivElement>(null);
  const text = JSON.stringify(values);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const now = Date.now() / 1_000;
    const times = values.map((_, i) => now - (values.length - 1 - i) * STEP * 60);
    const colour = getComputedStyle(element).color;
    const plot = new uPlot(
      {
        width: axes ? Math.min(720, Math.max(280, element.parentElement?.clientWidth ?? 280)) : 120,
        height: axes ? 180 : 24,
        legend: { show: false },
        cursor: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most)] } },
        axes: axes ? [{ stroke: colour }, { stroke: colour, size: 60 }] : [{ show: false }, { show: false }],
        ...(axes ? {} : { padding: [2, 0, 2, 0] as [number, number, number, number] }),
        series: [{}, { stroke: colour, width: 1.5, points: { show: false } }],
      },
      [times, [...values]],
      element,
    );
    return () => plot.destroy();
  }, [text, axes]);
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return (
    <div
      class="sparkline"
      ref={holder}
      role="img"
      aria-label={t('behindChart', { mds, most: durationText(most) })}
    />
  );
}
