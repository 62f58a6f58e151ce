/**
 * Test files that may skip with CI=true, and why. Everything else is there to run: an unnoticed skip
 * is a missing test.
 */
const MAY_SKIP: readonly { readonly file: RegExp; readonly why: string }[] = [
  {
    file: /^test\/lab\/systemd/,
    why: 'Debian comes from a mirror, and a container may not be allowed to boot systemd in another one',
  },
  {
    file: /^test\/lab\/(.*asterisk|activation)/,
    why: 'Asterisk comes from a Debian mirror, which may be out of reach',
  },
  {
    file: /^test\/process\/failingDisk/,
    why: 'a container may not be allowed to trace processes, which is how system calls are made to fail',
  },
  { file: /^test\/lab\/debian/, why: 'Debian comes from a mirror, which may be out of reach' },
];

/** Why this file's tests may skip in CI; undefined when they may not. */
export function whyItMaySkip(file: string): string | undefined {
  return MAY_SKIP.find((each) => each.file.test(file))?.why;
}
