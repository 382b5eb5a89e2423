import { Adam, type Module, SoftmaxCrossEntropyWithLogits, summary } from '@firelight/nn';
import {
  Generator,
  mul,
  randn,
  type Shape,
  sum,
  type Tensor,
  tensor,
  tidy,
} from '@firelight/tensor';
import { expect } from 'vitest';
import names from '../fixtures/networks/names.json' with { type: 'json' };
import runs from '../fixtures/networks/runs.json' with { type: 'json' };
import { relativeError } from './relative-error.ts';

interface Run {
  readonly shape: Shape;
  readonly logits: readonly number[];
  /** Of each parameter's gradient the norm and the product with cos(0), cos(1), … */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** What a network has to learn by heart, and how fast. */
export interface LearningOptions {
  /** Of one image. */
  readonly shape: Shape;
  readonly classes: number;
  readonly steps: number;
  readonly learningRate: number;
}

const IMAGES = 64;

/** Draws nothing but zeros, so that large networks are made in no time. */
export class StillGenerator extends Generator {
  override normal(count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(count);
  }

  override uniform(count: number): Float64Array<ArrayBuffer> {
    return new Float64Array(count);
  }
}

/** Expects the names and shapes of torchvision's parameters, in its order. */
export function expectTorchvisionNames(name: keyof typeof names, network: Module): void {
  const shapes = network.namedParameters().map(([path, { shape }]) => [path, shape]);
  expect(shapes).toEqual(Object.entries(names[name]));
}

export function parameterCount(network: Module): number {
  return network.parameters().reduce((count, { size }) => count + size, 0);
}

const elements = (count: number, f: (i: number) => number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => f(i));

/** sin(0.37 i² + phase) for i = 0, 1, 2, … */
const chirp = (phase: number) => (i: number) => Math.sin(0.37 * i * i + phase);

/** The weights of `test/fixtures/networks/make.py`. */
function setWeights(network: Module): void {
  const state = network.namedParameters().map(([name, parameter], number): [string, Tensor] => {
    const { shape, size } = parameter;
    const wave = chirp(number);
    const scale = 2 * Math.sqrt(shape[0] / size);
    const shift = name.endsWith('weight') ? 1 : 0;
    const value =
      shape.length > 1
        ? (i: number) => wave(i) * scale
        : (i: number) => (parameter.requiresGrad ? shift + 0.2 * wave(i) : 1);
    return [name, tensor(elements(size, value), { shape })];
  });
  network.loadStateDict(Object.fromEntries(state), { strict: false });
}

/** The images of that script. */
const chirpImages = (shape: Shape): Tensor =>
  tensor(
    elements(
      shape.reduce((a, b) => a * b),
      chirp(0.5),
    ),
    { shape },
  );

/** Expects PyTorch's logits and gradients of a small network with weights that are no random numbers. */
export function expectTorchRun(name: keyof typeof runs, network: Module, tolerance = 1e-4): void {
  const { shape, logits, gradients }: Run = runs[name];
  setWeights(network);
  tidy(() => {
    const y = network.forward(chirpImages(shape));
    expect(relativeError(y.data, logits), 'logits').toBeLessThan(tolerance);
    sum(mul(y, tensor(elements(y.size, Math.cos), { shape: y.shape }))).backward();
  });
  const learning = network.namedParameters().filter(([, { requiresGrad }]) => requiresGrad);
  expect(learning.map(([path]) => path)).toEqual(Object.keys(gradients));
  const largest = Math.max(...Object.values(gradients).map(([norm]) => norm));
  for (const [path, { grad }] of learning) {
    const values = Array.from(grad?.data ?? []);
    const norm = Math.hypot(...values);
    const product = values.reduce((total, g, i) => total + g * Math.cos(i), 0);
    const [expectedNorm, expectedProduct] = gradients[path];
    // The product's error is at most that of the gradient times the norm of the cosines.
    const allowed = tolerance * Math.max(expectedNorm, largest * 1e-3);
    expect(Math.abs(norm - expectedNorm), path).toBeLessThan(allowed);
    const cosines = Math.sqrt(values.length / 2 + 1);
    expect(Math.abs(product - expectedProduct), path).toBeLessThan(allowed * cosines);
  }
}

/** Trains 64 images of noise by heart, and expects a mean cross-entropy below 0.05 within `steps`. */
export function expectLearnsByHeart(
  network: Module,
  { shape, classes, steps, learningRate }: LearningOptions,
): void {
  const image = randn([IMAGES, ...shape], { generator: new Generator(3) });
  const label = tensor(Int32Array.from({ length: IMAGES }, (_, i) => i % classes));
  const optimizer = new Adam(network.parameters(), { learningRate });
  const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
  const losses: number[] = [];
  while (losses.length < steps && (losses.at(-1) ?? 1) >= 0.05) {
    const loss = tidy(() => {
      const loss = lossFn.forward(network.forward(image), label);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    losses.push(loss);
  }
  expect(losses.at(-1), `after ${losses.length} steps`).toBeLessThan(0.05);
}

/** Expects a table whose layers have all parameters between them. */
export function expectSummary(network: Module, shape: Shape): void {
  const table = summary(network, shape);
  const sum = table.layers.reduce((total, { parameters }) => total + parameters, 0);
  expect(sum).toBe(table.parameters);
  expect(table.parameters).toBe(parameterCount(network));
  expect(table.macs).toBeGreaterThan(0);
  expect(String(table)).toContain('MACs');
}
