// Milliseconds that a process takes to load the libraries, and for its first answer of SqueezeNet.
import { SqueezeNet } from '@firelight/nn';
import { noGrad, ones } from '@firelight/tensor';

const loaded = performance.now();
const network = new SqueezeNet({ numClasses: 10 }).eval();
const { length } = noGrad(() => network.forward(ones([1, 3, 64, 64])).data);
const done = performance.now();
if (length !== 10) throw new Error(`there are ${length} logits`);
const { bootstrapComplete } = performance.nodeTiming;
console.log(JSON.stringify({ load: loaded - bootstrapComplete, first: done - loaded }));
process.exit();
