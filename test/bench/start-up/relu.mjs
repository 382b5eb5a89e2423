// Milliseconds that a process takes to load the library, and for its first kernel.
import { relu, tensor } from '@firelight/tensor';

const loaded = performance.now();
const [y] = relu(tensor([1])).data;
const done = performance.now();
if (y !== 1) throw new Error(`relu(1) is ${y}`);
const { bootstrapComplete } = performance.nodeTiming;
console.log(JSON.stringify({ load: loaded - bootstrapComplete, first: done - loaded }));
process.exit();
