import * as z from 'zod';

/** What the commands of a program print with `--json`, beside the version, by the command's words. */
export type Documents = Readonly<Record<string, z.ZodObject | z.ZodUnion<readonly z.ZodObject[]>>>;

/** The schema of one command's whole output: every answer names the version of the program that printed it. */
export function wholeOf(shape: Documents[string]): z.ZodType {
  const version = { version: z.string() };
  if (shape instanceof z.ZodUnion) return z.union(shape.options.map((option) => option.extend(version)));
  return shape.extend(version);
}

/** JSON Schema (2020-12) for each command. What a later version adds is no offence against them. */
export function documentsOf(program: string, documents: Documents): Map<string, object> {
  return new Map(
    Object.entries(documents).map(([command, shape]) => [
      command,
      {
        title: `${program} ${command} --json`,
        ...z.toJSONSchema(wholeOf(shape), { io: 'input' }),
      },
    ]),
  );
}
