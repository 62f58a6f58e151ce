import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnPlacements } from '#sync/scan/ownPlacements.ts';

test('what was placed is no news for a full scan that begins before it is adopted, and is one at the next', () => {
  const own = new OwnPlacements(() => undefined);
  own.add([['a', 'stamp']]);
  own.scanBegins();
  assert.ok(own.has('a', 'stamp'));
  own.add([['b', 'stamp']]);
  own.scanBegins();
  assert.ok(!own.has('a', 'stamp'));
  assert.ok(own.has('b', 'stamp'));
  // Placed again meanwhile: that is new.
  own.add([['b', 'later']]);
  own.scanBegins();
  assert.ok(own.has('b', 'later'));
  own.adopted('b');
  assert.ok(!own.has('b', 'later'));
});
