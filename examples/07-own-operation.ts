// An operation of your own, with its gradient and a WebAssembly kernel: the squared ReLU of Primer,
// y = max(0, x)², https://arxiv.org/abs/2109.08668.
import * as fl from '@firelight/tensor';
import { defineKernel, defineOp, kernels, NdArray } from '@firelight/tensor/extend';
import { chunks, defineTask, forVectors, inFrame } from '@firelight/tensor/extend/wasm';

// Code for one part of the array, as many lanes at once as the machine has. Threads share the parts.
const fields = { x: 'address', y: 'address', count: 'i32' } as const;
const squaredReluTask = defineTask('squaredRelu', fields, (f, { x, y, count }, { index }) => {
  const value = f.floats();
  forVectors(f, count, index, [x, y], () => {
    value.set(f.load(x).positivePart());
    f.store(y, value.times(value));
  });
});

const squaredReluKernel = defineKernel({
  reference(x: NdArray) {
    const y = x.data.map((value) => Math.max(0, value) ** 2);
    return NdArray.fromTypedArray(y, x.shape, x.dtype);
  },
  wasm: (x: NdArray) =>
    inFrame((frame) => {
      const { array, address } = frame.output(x.shape);
      const values = { x: frame.input(x), y: address, count: x.size };
      frame.run(squaredReluTask, chunks(x.size), values);
      return array;
    }),
});

const squaredReluOp = defineOp('squaredRelu', {
  forward: ([x]: readonly [NdArray], _: null) => ({ y: squaredReluKernel(x), saved: { x } }),
  backward(gradOut, { x }) {
    const positive = kernels().unary('relu', x, 0);
    return [kernels().binary('mul', gradOut, kernels().binary('add', positive, positive))];
  },
});
const squaredRelu = (x: fl.Tensor): fl.Tensor => squaredReluOp([x], null);

console.log(String(squaredRelu(fl.tensor([-1, 0.5, 3]))));
fl.gradCheck(squaredRelu, [fl.tensor([-2, -0.5, 0.5, 2])]);
const x = fl.randn([1_000_000], { generator: new fl.Generator(0) });
const onWasm = squaredRelu(x);
await fl.setBackend('reference');
const isSame = fl.min(fl.equal(onWasm, squaredRelu(x)));
console.log('gradCheck: right; the same bits on both backends:', isSame.item() === 1);
