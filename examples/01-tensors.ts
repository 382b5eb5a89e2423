// Tensors: made, combined, reduced and read.
import { add, Generator, matmul, mean, mul, randn, slice, sum, tensor } from '@firelight/tensor';

const a = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
console.log(String(a));
console.log(a.shape, a.dtype); // [2, 3] float32

// A length of 1, or a missing axis, is stretched to fit: NumPy's broadcasting.
const row = tensor([10, 20, 30]);
console.log(String(add(a, row)));
console.log(String(mul(a, 2)));

// Products of matrices, sums and means along axes, parts.
const weights = tensor([[1], [0], [-1]]);
console.log(String(matmul(a, weights)));
console.log('sum', sum(a).item(), 'mean of columns', Array.from(mean(a, 0).data));
console.log(
  'last column',
  Array.from(
    slice(a, [
      [0, 2],
      [2, 3],
    ]).data,
  ),
);

// Random numbers come from a generator: the same seed, the same numbers, on every machine.
const noise = randn([10_000], { generator: new Generator(7) });
console.log('mean of noise', mean(noise).item().toFixed(3));
