// Compiles all tasks of the wasm backend, and no more.
import { setFlagsFromString } from 'node:v8';
import { setThreads } from '@firelight/tensor';
import { supportsRelaxedSimd } from '../../packages/tensor/src/backend/wasm/runtime/engine.ts';
import { runtime } from '../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { allTasks } from '../../packages/tensor/src/backend/wasm/runtime/task.ts';
import { bestWidth } from '../../packages/tensor/src/backend/wasm/runtime/wide-vectors.ts';

// Which width is best is measured only once, and leaves the quick compiler on, which packs nothing,
// and the packing off where it was not faster.
bestWidth(supportsRelaxedSimd());
for (const flag of ['--no-liftoff', '--experimental-wasm-revectorize']) setFlagsFromString(flag);
setThreads(1);
for (const task of allTasks) runtime().prepare(task);
