import { newTypedArray, type TypedArray } from '../../core/dtype.ts';
import { NdArray } from '../../core/ndarray.ts';
import { splitAtAxis } from '../../core/shape.ts';
import type { Kernels } from '../contract.ts';

/** Elements along one axis: element k lies at `start + k · stride`. */
interface Line {
  readonly start: number;
  readonly stride: number;
  readonly length: number;
}

function* linesAlong(x: NdArray, axis: number): Generator<Line> {
  const [before, length, after] = splitAtAxis(x.shape, axis);
  for (let i = 0; i < before; i++) {
    for (let j = 0; j < after; j++) yield { start: i * length * after + j, stride: after, length };
  }
}

/**
 * The largest element of a line, and Σ e^(x − largest), which cannot overflow. Elements are to be
 * reduced by the largest before anything else: where it is huge, adding ln Σ to it changes nothing.
 */
function shiftedSum(
  data: TypedArray,
  { start, stride, length }: Line,
): { largest: number; sum: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < length; k++) largest = Math.max(largest, data[start + k * stride]);
  let sum = 0;
  for (let k = 0; k < length; k++) sum += Math.exp(data[start + k * stride] - largest);
  return { largest, sum };
}

/** Fills an array like `like`, line by line. */
function perLine(
  like: NdArray,
  axis: number,
  fill: (out: TypedArray, line: Line) => void,
): NdArray {
  const out = newTypedArray(like.dtype, like.size);
  for (const line of linesAlong(like, axis)) fill(out, line);
  return NdArray.fromTypedArray(out, like.shape, like.dtype);
}

export const softmaxFunctions: Pick<Kernels, 'softmax' | 'softmaxGrad'> = {
  softmax(x, axis) {
    const data = x.data;
    return perLine(x, axis, (out, line) => {
      const { largest, sum } = shiftedSum(data, line);
      for (let k = 0; k < line.length; k++) {
        const at = line.start + k * line.stride;
        out[at] = Math.exp(data[at] - largest) / sum;
      }
    });
  },

  // gx = y · (g − Σ g y)
  softmaxGrad(y, gradOut, axis) {
    const [data, grad] = [y.data, gradOut.data];
    return perLine(y, axis, (out, { start, stride, length }) => {
      let dot = 0;
      for (let k = 0; k < length; k++) dot += grad[start + k * stride] * data[start + k * stride];
      for (let k = 0; k < length; k++) {
        const at = start + k * stride;
        out[at] = data[at] * (grad[at] - dot);
      }
    });
  },
};

export const logSoftmaxFunctions: Pick<Kernels, 'logSoftmax' | 'logSoftmaxGrad'> = {
  logSoftmax(x, axis) {
    const data = x.data;
    return perLine(x, axis, (out, line) => {
      const { largest, sum } = shiftedSum(data, line);
      const logSum = Math.log(sum);
      for (let k = 0; k < line.length; k++) {
        const at = line.start + k * line.stride;
        out[at] = data[at] - largest - logSum;
      }
    });
  },

  // gx = g − e^y · Σ g
  logSoftmaxGrad(y, gradOut, axis) {
    const [data, grad] = [y.data, gradOut.data];
    return perLine(y, axis, (out, { start, stride, length }) => {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += grad[start + k * stride];
      for (let k = 0; k < length; k++) {
        const at = start + k * stride;
        out[at] = grad[at] - Math.exp(data[at]) * sum;
      }
    });
  },
};

export const crossEntropy: Pick<Kernels, 'softmaxCrossEntropy' | 'softmaxCrossEntropyGrad'> = {
  softmaxCrossEntropy(logits, labels) {
    const [data, classes] = [logits.data, labels.data];
    const out = newTypedArray(logits.dtype, classes.length);
    let sample = 0;
    for (const line of linesAlong(logits, 1)) {
      const { largest, sum } = shiftedSum(data, line);
      const label = classes[sample];
      out[sample] = label < 0 ? 0 : Math.log(sum) - (data[line.start + label] - largest);
      sample++;
    }
    return NdArray.fromTypedArray(out, labels.shape, logits.dtype);
  },

  // gx = (softmax(x) − onehot(label)) · g
  softmaxCrossEntropyGrad(logits, labels, gradOut) {
    const [data, classes, grad] = [logits.data, labels.data, gradOut.data];
    let sample = 0;
    return perLine(logits, 1, (out, line) => {
      const { largest, sum } = shiftedSum(data, line);
      for (let k = 0; k < line.length; k++) {
        const probability = Math.exp(data[line.start + k] - largest) / sum;
        const target = k === classes[sample] ? 1 : 0;
        out[line.start + k] = classes[sample] < 0 ? 0 : (probability - target) * grad[sample];
      }
      sample++;
    });
  },
};
