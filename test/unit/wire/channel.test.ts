import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { type ArrivingFromAgent, fromAgentSchema, type FromMain } from '#protocol/messages/session.ts';
import { Channel } from '#wire/channel.ts';

void test('a peer that does not read is cut off before what waits for it grows without end', () => {
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    send(data: string) {
      socket.bufferedAmount += data.length;
    },
    terminate() {
      socket.readyState = 3;
      socket.emit('close', 1006, Buffer.alloc(0));
    },
  });
  const reasons: string[] = [];
  const channel = new Channel<ArrivingFromAgent, FromMain>(socket as unknown as WebSocket, {
    schema: fromAgentSchema,
    onMessage: () => undefined,
    onClose: (reason) => reasons.push(reason),
  });
  const reason = 'x'.repeat(60_000);
  for (let i = 0; i < 10_000; i++) channel.send({ type: 'refused', reason });
  assert.deepEqual(reasons, ['it does not read what it is sent']);
  assert.ok(socket.bufferedAmount < 65 * 1024 * 1024, `${socket.bufferedAmount}`);
});
