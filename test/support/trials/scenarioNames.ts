/** Scenarios in which content goes from Main to an MDS. */
export const DELIVERIES = [
  'a new MDS gets its first pass',
  'files are delivered',
  'a large file is delivered',
  'a large file changes inside',
  'files are removed',
  'a folder of Main is renamed',
] as const;

/** Scenarios in which it goes the other way, or that are what people ask for. */
export const OTHERS = [
  'an agent connects',
  'a small recording is uploaded',
  'a large recording is uploaded',
  'an upload that was cut off is gone on with',
  'a recording changes on both sides',
  'only the mode of recordings changes',
  'everything is verified',
  'a person runs why',
  'a change set is rolled back',
  'a file of an MDS is restored from its trash',
  'a certificate is renewed',
  'an MDS enrols with a token',
  'an MDS waits for its approval',
] as const;

export type ScenarioName = (typeof DELIVERIES)[number] | (typeof OTHERS)[number];

/** Scenarios about one file, which another program may change meanwhile. */
export const WRITTEN = [
  'files are delivered',
  'a large file is delivered',
  'a large file changes inside',
  'files are removed',
  'a small recording is uploaded',
  'a large recording is uploaded',
  'a recording changes on both sides',
  'only the mode of recordings changes',
  'a change set is rolled back',
  'a file of an MDS is restored from its trash',
] as const satisfies readonly ScenarioName[];

export type WrittenScenario = (typeof WRITTEN)[number];
