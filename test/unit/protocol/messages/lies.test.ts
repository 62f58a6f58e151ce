import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type * as z from 'zod';
import { enrolAnswerSchema, enrolRequestSchema } from '#protocol/messages/enrolment.ts';
import { fromAgentSchema, fromMainSchema, helloSchema } from '#protocol/messages/session.ts';
import { liesIn, samplesOf } from '../../../support/lies/lies.ts';

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  fromAgent: fromAgentSchema,
  hello: helloSchema,
  fromMain: fromMainSchema,
  enrolRequest: enrolRequestSchema,
  enrolAnswer: enrolAnswerSchema,
};

void describe('Whatever a peer says is taken, or refused with a message', () => {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    void it(`${name}: every field wrong in every way`, () => {
      const samples = samplesOf(schema);
      let refused = 0;
      let lies = 0;
      for (const sample of samples) {
        assert.ok(schema.safeParse(sample).success, JSON.stringify(sample).slice(0, 500));
        for (const { field, way, message } of liesIn(sample)) {
          lies += 1;
          // JSON is what travels.
          const arrived: unknown = JSON.parse(JSON.stringify(message));
          const read = schema.safeParse(arrived);
          if (read.success) continue;
          refused += 1;
          assert.ok((read.error.issues[0]?.message ?? '') !== '', `${field} ${way}`);
        }
      }
      assert.ok(lies > samples.length * 10 && refused > lies / 10, `${lies} lies, ${refused} refused`);
    });
  }
});
