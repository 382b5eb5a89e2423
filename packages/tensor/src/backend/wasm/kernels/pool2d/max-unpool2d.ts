import type { NdArray } from '../../../../core/ndarray.ts';
import type { Shape } from '../../../../core/shape.ts';
import { loadF32, loadI32 } from '../../assembler/scalars.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { forPlanes, PLANES, planeParts } from '../loops/planes.ts';
import { fillRow } from '../loops/rows.ts';

/** `places` are those of each `count` elements in a plane of `area`, −1 for elements without one. */
const FIELDS = {
  planes: PLANES,
  source: 'address',
  places: 'address',
  target: 'address',
  count: 'i32',
  area: 'i32',
} as const;

const scatterTask = defineTask('maxUnpool', FIELDS, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const target = f.i32(p.target.plus(plane.times(p.area).times(4)));
    const offset = f.i32(plane.times(p.count).times(4));
    const source = f.i32(p.source.plus(offset));
    const places = f.i32(p.places.plus(offset));
    const place = f.i32();
    f.call(fillRow, { target, count: p.area, value: 0 });
    f.for(0, p.count, 1, () => {
      place.set(loadI32(places));
      f.if(place.atLeast(0), () => f.store(target.plus(place.times(4)), loadF32(source)));
      source.set(source.plus(4));
      places.set(places.plus(4));
    });
  });
});

const pickTask = defineTask('maxUnpoolGrad', FIELDS, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const source = f.i32(p.source.plus(plane.times(p.area).times(4)));
    const offset = f.i32(plane.times(p.count).times(4));
    const target = f.i32(p.target.plus(offset));
    const places = f.i32(p.places.plus(offset));
    const place = f.i32();
    const value = f.f32();
    f.for(0, p.count, 1, () => {
      place.set(loadI32(places));
      value.set(0);
      f.if(place.atLeast(0), () => value.set(loadF32(source.plus(place.times(4)))));
      f.store(target, value);
      target.set(target.plus(4));
      places.set(places.plus(4));
    });
  });
});

/** Moves elements of planes between their places in planes [H, W] and an array of the shape of `places`. */
function move(
  task: typeof scatterTask,
  source: NdArray,
  places: NdArray,
  [N, C, H, W]: Shape,
  shape: Shape,
): NdArray {
  return inFrame((frame) => {
    const { array, address } = frame.output(shape);
    const { parts, planes } = planeParts(N * C, H * W);
    frame.run(task, parts, {
      planes,
      source: frame.input(source),
      places: frame.input(places),
      target: address,
      count: places.shape[2] * places.shape[3],
      area: H * W,
    });
    return array;
  });
}

/** Elements of planes at their places in larger planes of zeros. */
export function maxUnpool2d(x: NdArray, places: NdArray, shape: Shape): NdArray {
  return move(scatterTask, x, places, shape, shape);
}

/** The elements of planes at `places`. */
export function maxUnpool2dGrad(gradOut: NdArray, places: NdArray): NdArray {
  return move(pickTask, gradOut, places, gradOut.shape, places.shape);
}
