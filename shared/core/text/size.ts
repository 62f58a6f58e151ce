/** As rsync counts them: `M` and `MiB` are 1024 * 1024, `MB` is a million. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1000 ** 4,
};

/**
 * A number of bytes from `64KiB`, `1MiB`, `500MB`, `10M` or a plain number; whole, up to 2^53 - 1.
 * @throws RangeError whose message says what is allowed
 */
export function parseBytes(text: string): number {
  const match = /^(\d{1,16})\s?([a-z]{0,3})$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '?'];
  if (match === null || unit === undefined) {
    throw new RangeError(
      `"${text}" is not a size; write a whole number and KiB, MiB, GiB, TiB or KB, MB, GB, TB, such as 64MiB`,
    );
  }
  const bytes = Number(match[1]) * unit;
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`"${text}" is more than any disk holds`);
  return bytes;
}

/** A size for people, in powers of 1024, three significant digits: `0 B`, `1023 B`, `1.5 MiB`, `240 GiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let step = 0;
  // 1023.5 would be printed as 1024 of the smaller unit.
  while (Math.abs(value) >= 1023.5 && step < names.length - 1) {
    value /= 1024;
    step += 1;
  }
  const digits = step === 0 || Math.abs(value) >= 99.95 ? 0 : 1;
  return `${Number(value.toFixed(digits))} ${names[step]}`;
}

/** Bits per second with decimal prefixes, as usual for networks: `Mbit` is a million bits. */
const BIT_RATES: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/**
 * Bytes a second from `20Mbit`, `512kbit` (a million or a thousand bits), or a size such as `10MiB`.
 * @throws RangeError whose message says what is allowed
 */
export function parseRate(text: string): number {
  const match = /^(\d{1,10})\s?([kmg]?bit)(?:\/s)?$/i.exec(text.trim());
  if (match !== null)
    return Math.floor((Number(match[1]) * (BIT_RATES[match[2]?.toLowerCase() ?? ''] ?? 1)) / 8);
  try {
    return parseBytes(text);
  } catch {
    throw new RangeError(
      `"${text}" is not a rate; write a whole number and kbit, Mbit or Gbit, or a size for each second such as 2MiB`,
    );
  }
}
