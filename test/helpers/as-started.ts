import { availableParallelism } from 'node:os';
import { defaultGenerator, Generator, setBackend, setThreads } from '@firelight/tensor';

/**
 * Runs before each test file, since many share a process (`vitest.config.ts`): what a program chooses
 * for all that follows is again as when the process started.
 */

defaultGenerator.restore(new Generator(0).state());
setThreads(availableParallelism());
await setBackend('wasm');
