import { parentPort, workerData } from 'node:worker_threads';
import { Folder } from '#host/fs/folder.ts';
import { FilePieces } from './filePieces.ts';
import type { Request, ThreadStart } from './messages.ts';
import { stageAll } from './stageAll.ts';

/** Serves the thread that started this one. */
function serve(port: NonNullable<typeof parentPort>): void {
  const { blocks, givenUp } = workerData as ThreadStart;
  const areGivenUp = new Uint8Array(givenUp);
  const views = blocks.map((block) => new Uint8Array(block));
  const viewOf = (block: number): Uint8Array => views[block] ?? new Uint8Array();
  const pieces = new FilePieces();
  port.on('message', (request: Request) => {
    if ('files' in request) {
      const { stage, block, files } = request;
      const isGivenUp = (): boolean => Atomics.load(areGivenUp, block) === 1;
      port.postMessage(stageAll(Folder.opened(stage), viewOf(block), files, isGivenUp));
    } else if ('ended' in request) port.postMessage(pieces.end(request.ended));
    else if ('hashed' in request) port.postMessage(pieces.read(request.hashed, request.at, request.length));
    else port.postMessage(pieces.write(request.fd, viewOf(request.block).subarray(0, request.length)));
  });
}

// Absent when its code is only being compiled.
if (parentPort !== null) serve(parentPort);
