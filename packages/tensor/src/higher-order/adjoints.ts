import { defineOp } from '../autograd/define-op.ts';
import type { SliceRange } from '../backend/contract.ts';
import { averagePooling, convolution, movement, placement } from '../backend/kernels.ts';
import { NdArray } from '../core/ndarray.ts';
import type { Shape } from '../core/shape.ts';
import type { Conv2dWindow, Window2d } from '../core/window.ts';

/*
 * Gradients of linear operations as operations. They are linear themselves, and their gradient is the
 * operation that they belong to: ⟨A x, g⟩ = ⟨x, Aᵀ g⟩.
 */

/** `gradOut` added into zeros of the shape that a slice was taken of. */
export const sliceGradOp = defineOp<
  [NdArray],
  { range: SliceRange; inputShape: Shape },
  { range: SliceRange; shape: Shape }
>('sliceGrad', {
  forward: ([g], { range, inputShape }) => ({
    y: placement().sliceGrad(g, range, inputShape),
    saved: { range, shape: g.shape },
  }),
  backward: (gradOut, { range, shape }) => [movement().slice(gradOut, range, shape)],
});

/** `gradOut` spread evenly over the windows of an average pooling. */
export const avgPool2dGradOp = defineOp<
  [NdArray],
  { inputShape: Shape; window: Window2d },
  { window: Window2d }
>('avgPool2dGrad', {
  forward: ([g], { inputShape, window }) => ({
    y: averagePooling().avgPool2dGrad(g, inputShape, window),
    saved: { window },
  }),
  backward: (gradOut, { window }) => [averagePooling().avgPool2d(gradOut, window)],
});

interface ConvolutionShapes {
  readonly inputShape: Shape;
  readonly weightShape: Shape;
  readonly window: Conv2dWindow;
}

type ConvolutionGradSaved = ConvolutionShapes & { readonly first: NdArray; readonly g: NdArray };

function convolve(x: NdArray, weight: NdArray, window: Conv2dWindow): NdArray {
  return convolution().conv2d(x, [{ weight, bias: null, window }], 'none');
}

/** Either gradient of one convolution; only the shape counts of what it does not depend on. */
function convolutionGrad(
  of: 'x' | 'weight',
  { x, weight, g }: Readonly<Record<'x' | 'weight' | 'g', NdArray>>,
  window: Conv2dWindow,
): NdArray {
  const needed = { x: of === 'x', branches: [{ weight: of === 'weight', bias: false }] };
  const grads = convolution().conv2dGrad(x, null, g, [{ weight, bias: null, window }], needed);
  return (of === 'x' ? grads.x : grads.weights[0]) as NdArray; // It was asked for.
}

/** The gradient of a convolution by its input, with inputs weight and g: bilinear. */
export const conv2dInputGradOp = defineOp<
  [NdArray, NdArray],
  ConvolutionShapes,
  ConvolutionGradSaved
>('conv2dInputGrad', {
  forward([weight, g], shapes) {
    const x = NdArray.zeros(shapes.inputShape, g.dtype);
    const y = convolutionGrad('x', { x, weight, g }, shapes.window);
    return { y, saved: { ...shapes, first: weight, g } };
  },
  backward: (gradOut, { first: weight, g, window }, [needsWeight, needsG]) => [
    needsWeight ? convolutionGrad('weight', { x: gradOut, weight, g }, window) : null,
    needsG ? convolve(gradOut, weight, window) : null,
  ],
});

/** The gradient of a convolution by its weight, with inputs x and g: bilinear. */
export const conv2dWeightGradOp = defineOp<
  [NdArray, NdArray],
  ConvolutionShapes,
  ConvolutionGradSaved
>('conv2dWeightGrad', {
  forward([x, g], shapes) {
    const weight = NdArray.zeros(shapes.weightShape, g.dtype);
    const y = convolutionGrad('weight', { x, weight, g }, shapes.window);
    return { y, saved: { ...shapes, first: x, g } };
  },
  backward: (gradOut, { first: x, g, window }, [needsX, needsG]) => [
    needsX ? convolutionGrad('x', { x, weight: gradOut, g }, window) : null,
    needsG ? convolve(x, gradOut, window) : null,
  ],
});
