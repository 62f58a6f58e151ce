import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import * as z from 'zod';
import { interpreted } from '#protocol/interpreted.ts';

const LONG_TEXT = 1 << 20;

void it('a short value is checked without compiling its schema, a long one with it, and the verdict is the same', () => {
  const made = mock.method(globalThis, 'Function');
  try {
    const schema = z.array(z.strictObject({ name: z.string().max(3), size: z.int().min(0) }));
    // zod asks once whether it may compile at all.
    schema.safeParse([{ name: 'a', size: 1 }], interpreted());
    const asked = made.mock.callCount();
    const wrong = [{ name: 'abcd', size: -1, more: true }];
    const short = schema.safeParse(wrong, interpreted(wrong.length));
    assert.equal(made.mock.callCount(), asked);
    const long = schema.safeParse(wrong, interpreted(LONG_TEXT));
    assert.equal(made.mock.callCount(), asked + 1);
    assert.equal(short.success, false);
    assert.deepEqual(short.error?.issues, long.error?.issues);
  } finally {
    made.mock.restore();
  }
});
