import { parentPort, workerData } from 'node:worker_threads';
import { Folder } from '#host/fs/folder.ts';
import type { StageAnswer, StageRequest, ThreadStart } from './messages.ts';
import { stageWhole } from './stageWhole.ts';

/** Serves the thread that started this one. */
function serve(port: NonNullable<typeof parentPort>): void {
  const { blocks } = workerData as ThreadStart;
  const views = blocks.map((block) => new Uint8Array(block));
  port.on('message', ({ stage, block, files }: StageRequest) => {
    const folder = Folder.opened(stage);
    const view = views[block] ?? new Uint8Array();
    const answer: StageAnswer = files.map(({ name, at, entry }) =>
      stageWhole(folder, name, view.subarray(at, at + entry.size), entry),
    );
    port.postMessage(answer);
  });
}

// Absent when its code is only being compiled.
if (parentPort !== null) serve(parentPort);
