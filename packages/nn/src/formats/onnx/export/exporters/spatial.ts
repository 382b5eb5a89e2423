import { ValueError } from '@firelight/tensor';
import type { Dim } from '../dims.ts';
import type { ExportCall, Exporter } from '../export-call.ts';
import { type AttributeValue, fixed } from '../graph-builder.ts';

/** How a window moves over images, as operations of tensor have it. */
interface Window {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padding: Readonly<Record<'top' | 'bottom' | 'left' | 'right', number>>;
  readonly outHeight: number;
  readonly outWidth: number;
}

type Convolution = Window & { readonly groups: number };

function attributesOf(window: Window): Record<string, AttributeValue> {
  const { top, left, bottom, right } = window.padding;
  return {
    kernel_shape: [window.kernelHeight, window.kernelWidth],
    strides: [window.strideHeight, window.strideWidth],
    dilations: [window.dilationHeight, window.dilationWidth],
    pads: [top, left, bottom, right],
  };
}

/** Whether there are more windows than fit wholly. */
function isCeiled(window: Window, [, , H, W]: readonly Dim[]): boolean {
  const { padding, kernelHeight, kernelWidth, dilationHeight, dilationWidth } = window;
  const count = (room: number, kernel: number, dilation: number, stride: number): number =>
    Math.floor((room - dilation * (kernel - 1) - 1) / stride) + 1;
  const height = fixed('pooling', H) + padding.top + padding.bottom;
  const width = fixed('pooling', W) + padding.left + padding.right;
  return (
    window.outHeight > count(height, kernelHeight, dilationHeight, window.strideHeight) ||
    window.outWidth > count(width, kernelWidth, dilationWidth, window.strideWidth)
  );
}

const withActivation = (c: ExportCall, activation: 'none' | 'relu', y: string): string =>
  activation === 'relu' ? c.node('Relu', [y]) : y;

const conv2d: Exporter = (c) => {
  const { windows, activation } = c.attributes<{
    readonly windows: readonly Convolution[];
    readonly activation: 'none' | 'relu';
  }>();
  const [N, , ...size] = c.dims;
  const outputs = windows.map((window, i) => {
    const [weight, bias] = [c.operand(1 + 2 * i), c.optional(2 + 2 * i)];
    const inputs = [c.x(), weight.name, ...(bias === null ? [] : [bias.name])];
    const attributes = { ...attributesOf(window), group: window.groups };
    return c.node('Conv', inputs, { attributes, dims: [N, weight.dims[0], ...size] });
  });
  const [first, ...rest] = outputs;
  const y = rest.length === 0 ? first : c.node('Concat', outputs, { attributes: { axis: 1 } });
  return withActivation(c, activation, y);
};

const batchNorm2d: Exporter = (c) => {
  const { epsilon, activation } = c.attributes<{
    readonly epsilon: number;
    readonly activation: 'none' | 'relu';
  }>();
  const attributes = { epsilon: { float: epsilon } };
  return withActivation(c, activation, c.node('BatchNormalization', c.all(), { attributes }));
};

const maxPool2d: Exporter = (c) => {
  const { window } = c.attributes<{ readonly window: Window }>();
  const ceil_mode = Number(isCeiled(window, c.operand().dims));
  return c.node('MaxPool', [c.x()], { attributes: { ...attributesOf(window), ceil_mode } });
};

const avgPool2d: Exporter = (c) => {
  const { window } = c.attributes<{ readonly window: Window }>();
  const { dilations, ...attributes } = attributesOf(window);
  if (window.dilationHeight !== 1 || window.dilationWidth !== 1) {
    throw new ValueError(
      `exportOnnx: avgPool2d with dilation [${dilations}] cannot be written, since opset 17 has none`,
    );
  }
  const ceil_mode = Number(isCeiled(window, c.operand().dims));
  return c.node('AveragePool', [c.x()], {
    attributes: { ...attributes, ceil_mode, count_include_pad: 1 },
  });
};

const convTranspose2d: Exporter = (c) => {
  const { window } = c.attributes<{ readonly window: Convolution }>();
  const { top, left, bottom, right } = window.padding;
  const [, , H, W] = c.operand().dims.map((dim) => (typeof dim === 'number' ? dim : 0));
  const extra = (out: Dim, size: number, stride: number, span: number, cut: number): number =>
    fixed('convTranspose2d', out) - ((size - 1) * stride + span - cut);
  const spanHeight = window.dilationHeight * (window.kernelHeight - 1) + 1;
  const spanWidth = window.dilationWidth * (window.kernelWidth - 1) + 1;
  const output_padding = [
    extra(c.dims[2], H, window.strideHeight, spanHeight, top + bottom),
    extra(c.dims[3], W, window.strideWidth, spanWidth, left + right),
  ];
  const attributes = { ...attributesOf(window), group: window.groups, output_padding };
  return c.node('ConvTranspose', [c.x(0), c.x(1)], { attributes });
};

/** A matrix of which each row has few elements side by side. */
interface Band {
  readonly columns: number;
  readonly rows: number;
  readonly starts: ArrayLike<number>;
  readonly firsts: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** The product of a matrix and each line along an axis, as resizing and adaptive pooling have it. */
const multiplyAxis: Exporter = (c) => {
  const { axis, matrix } = c.attributes<{ readonly axis: number; readonly matrix: Band }>();
  const { columns, rows, starts, firsts, weights } = matrix;
  const elements = new Array<number>(columns * rows).fill(0);
  for (let row = 0; row < rows; row++) {
    for (let i = starts[row]; i < starts[row + 1]; i++) {
      elements[(firsts[row] + i - starts[row]) * rows + row] = weights[i];
    }
  }
  const transposed = c.graph.constant(elements, [columns, rows], c.dtype);
  const { dims, name } = c.operand();
  const last = dims.length - 1;
  if (axis === last) return c.node('MatMul', [name, transposed]);
  const perm = dims.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const swap = (list: readonly Dim[]): Dim[] => perm.map((from) => list[from]);
  const attributes = { perm };
  const lines = c.node('Transpose', [name], { attributes, dims: swap(dims) });
  const product = c.node('MatMul', [lines, transposed], { dims: swap(c.dims) });
  return c.node('Transpose', [product], { attributes });
};

/** Operations on images. */
export const SPATIAL: Readonly<Record<string, Exporter>> = {
  avgPool2d,
  batchNorm2d,
  conv2d,
  convTranspose2d,
  maxPool2d,
  multiplyAxis,
};
