import { parseRate } from '#core/text/size.ts';
import { mdsName, parsed, section, shown } from './fields.ts';
import * as z from 'zod';

/** Lowest limit, bytes per second: below it, heartbeats would wait too long behind file content. */
const MIN_BANDWIDTH = 16 * 1024;

/** A part of each day, in minutes after midnight, local time; `to` below `from` means past midnight. */
export type Hours = { readonly from: number; readonly to: number };

/** @property rate bytes per second; 0 means unlimited */
export type Bandwidth = { readonly rate: number; readonly hours?: Hours };

const NO_LIMIT: Bandwidth = { rate: 0 };

const shape = { limit: parsed(rate), hours: parsed(hours).optional() };

/** `20Mbit`, or `{ limit: 20Mbit, hours: "08:00-18:00" }`. */
export const bandwidthField = z.preprocess(
  (value) => (value !== null && typeof value === 'object' ? value : { limit: value ?? 0 }),
  section(shape).transform(({ limit, hours: when }): Bandwidth => ({
    rate: limit,
    ...(when && { hours: when }),
  })),
);

/** Main's: a limit for all MDS together, and one for single MDS. */
export type MainBandwidth = { readonly all: Bandwidth; readonly mds: Readonly<Record<string, Bandwidth>> };

export const mainBandwidthField = z.preprocess(
  (value) => (value !== null && typeof value === 'object' ? value : { limit: value ?? 0 }),
  section({
    ...shape,
    limit: shape.limit.optional(),
    mds: z.record(mdsName() as z.ZodType<string, string>, bandwidthField).optional(),
  })
    .superRefine(({ limit, hours: when }, context) => {
      if (limit === undefined && when !== undefined)
        context.addIssue({ code: 'custom', path: ['hours'], message: 'only used with a limit beside it' });
    })
    .transform(({ limit, hours: when, mds }): MainBandwidth => ({
      all: limit === undefined ? NO_LIMIT : { rate: limit, ...(when && { hours: when }) },
      mds: mds ?? {},
    })),
);

/** The limit at a moment, bytes per second; 0 means unlimited. @param now milliseconds since 1970 */
export function rateAt({ rate: limit, hours: when }: Bandwidth, now: number): number {
  if (limit === 0 || when === undefined) return limit;
  const at = new Date(now);
  const minute = at.getHours() * 60 + at.getMinutes();
  const within =
    when.from < when.to ? minute >= when.from && minute < when.to : minute >= when.from || minute < when.to;
  return within ? limit : 0;
}

function rate(value: unknown): number {
  const bytes = parseRate(typeof value === 'number' ? String(value) : textOf(value));
  if (bytes === 0 || bytes >= MIN_BANDWIDTH) return bytes;
  throw new RangeError(`${shown(value)} is too slow; at least 16KiB (a second), or 0 for no limit`);
}

function hours(value: unknown): Hours {
  const match = /^(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)$/.exec(textOf(value).trim());
  const [fromHour = 99, fromMinute = 99, toHour = 99, toMinute = 99] = match?.slice(1).map(Number) ?? [];
  const from = fromHour * 60 + fromMinute;
  const to = toHour * 60 + toMinute;
  const valid = fromMinute < 60 && toMinute < 60 && from < 1440 && to <= 1440 && from !== to;
  if (!valid) throw new RangeError(`${shown(value)} is not a part of the day; write it as "08:00-18:00"`);
  return { from, to: to % 1440 };
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new RangeError(`${shown(value)} is not text; put it in quotes`);
}
