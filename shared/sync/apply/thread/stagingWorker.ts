import { parentPort, workerData } from 'node:worker_threads';
import { Folder } from '#host/fs/folder.ts';
import type { StageRequest, ThreadStart } from './messages.ts';
import { stageAll } from './stageWhole.ts';

/** Serves the thread that started this one. */
function serve(port: NonNullable<typeof parentPort>): void {
  const { blocks, givenUp } = workerData as ThreadStart;
  const areGivenUp = new Uint8Array(givenUp);
  const views = blocks.map((block) => new Uint8Array(block));
  port.on('message', ({ stage, block, files }: StageRequest) => {
    const folder = Folder.opened(stage);
    const view = views[block] ?? new Uint8Array();
    const isGivenUp = (): boolean => Atomics.load(areGivenUp, block) === 1;
    port.postMessage(stageAll(folder, view, files, isGivenUp));
  });
}

// Absent when its code is only being compiled.
if (parentPort !== null) serve(parentPort);
