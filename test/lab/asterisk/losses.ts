/** What Asterisk logs when something of a file does not make it into the plan. */
const LOSSES = [
  /parse error:/,
  /was listed as a #include but it does not exist/,
  /Inheritance requested, but/,
  /Category addition requested, but/,
  /Invalid escape/,
  /No '=' \(equal sign\)/,
  /No variable name/,
  /Unknown directive/,
  /Directive '#.*' needs an argument/,
  /Cannot perform #exec/,
  // A long comment is no loss.
  /too long, skipping\. It begins with: (?!\s*;)/,
  /Unterminated comment/,
  /Label missing trailing/,
  /Can't use '.*' priority on the first entry/,
  /Invalid priority/,
  /No previous pattern/,
  /Unable to register extension at/,
];

/** One loss in Asterisk's words. `counted` is the line in its count, where it names one. */
export type Loss = {
  readonly message: string;
  readonly file: string | undefined;
  readonly counted: number | undefined;
};

/** The losses that a piece of Asterisk's log names (Latin-1). */
export function lossesIn(log: string): Loss[] {
  return log.split('\n').flatMap((line) => {
    if (!LOSSES.some((pattern) => pattern.test(line))) return [];
    const message = line.replace(/^.*?\.c: /, '');
    const [, counted, file] = /line (\d+) of (\S.*?)(?:~~\d+)?!?(?: -- .*)?$/.exec(message) ?? [];
    return [{ message, file, counted: counted === undefined ? undefined : Number(counted) }];
  });
}
