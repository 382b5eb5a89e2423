import { add, concat, div, maximum, minimum, mul, sub } from '@firelight/tensor';
import type { Module } from '../../module/module.ts';
import { type Config, Unsupported } from './config.ts';
import { type Flow, inKerasOrder } from './flow.ts';
import type { Join } from './layers-graph.ts';
import type { ImageShape } from './reshape.ts';

/** How the outputs of several layers become one. */
interface Merged {
  /** Modules that each of them goes through first. */
  readonly before: readonly (readonly Module[])[];
  readonly join: Join;
  readonly flow: Flow;
}

/** Makes what joins some flows. */
export type Merger = (config: Config, flows: readonly Flow[]) => Merged;

/** The shapes of images, and none in which there are others; features as images of one pixel. */
function shapesOf(config: Config, flows: readonly Flow[]): readonly ImageShape[] {
  const shapes = flows.map(
    (flow): ImageShape => (flow.kind === 'images' ? flow.shape : [flow.count, 1, 1]),
  );
  if (flows.every(({ kind }) => kind === flows[0].kind)) return shapes;
  throw new Unsupported(`${config.layer.className} of images and features`);
}

/** Images as they are, and features in one order for all. */
function merged(flows: readonly Flow[], [C, H, W]: ImageShape, join: Join): Merged {
  const areImages = flows[0].kind === 'images';
  return {
    before: flows.map((flow) => (areImages ? [] : inKerasOrder(flow))),
    join,
    flow: areImages
      ? { kind: 'images', shape: [C, H, W] }
      : { kind: 'features', count: C, image: null },
  };
}

/** Element by element, where an axis of length 1 fits every other. */
const elementwise =
  (join: Join, { isOfTwo = false } = {}): Merger =>
  (config, flows) => {
    const shapes = shapesOf(config, flows);
    const { className } = config.layer;
    if (isOfTwo && flows.length !== 2) throw new Unsupported(`${className} of other than two`);
    const lengthOf = (axis: 0 | 1 | 2): number => {
      const lengths = new Set(shapes.map((shape) => shape[axis]));
      lengths.delete(1);
      if (lengths.size > 1) throw new Unsupported(`${className} of different shapes`);
      return [...lengths][0] ?? 1;
    };
    return merged(flows, [lengthOf(0), lengthOf(1), lengthOf(2)], join);
  };

const concatenate: Merger = (config, flows) => {
  const shapes = shapesOf(config, flows);
  // Channels, which come last there.
  config.expect('axis', -1, flows[0].kind === 'images' ? 3 : 1);
  const [[, H, W]] = shapes;
  if (!shapes.every(([, height, width]) => height === H && width === W)) {
    throw new Unsupported('Concatenate of different shapes');
  }
  const channels = shapes.reduce((sum, [count]) => sum + count, 0);
  return merged(flows, [channels, H, W], (tensors) => concat(tensors, 1));
};

const sum: Join = (tensors) => tensors.reduce((total, each) => add(total, each));

/** Layers of Keras that take several tensors. */
export const MERGERS: ReadonlyMap<string, Merger> = new Map<string, Merger>([
  ['Add', elementwise(sum)],
  ['Subtract', elementwise(([a, b]) => sub(a, b), { isOfTwo: true })],
  ['Multiply', elementwise((tensors) => tensors.reduce((product, each) => mul(product, each)))],
  ['Average', elementwise((tensors) => div(sum(tensors), tensors.length))],
  ['Maximum', elementwise((tensors) => tensors.reduce((most, each) => maximum(most, each)))],
  ['Minimum', elementwise((tensors) => tensors.reduce((least, each) => minimum(least, each)))],
  ['Concatenate', concatenate],
]);
