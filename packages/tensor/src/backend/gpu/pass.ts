import { HostSource, isInMemoryScope, Storage, type StorageSource } from '../../core/memory.ts';
import { NdArray } from '../../core/ndarray.ts';
import { elementCount, type Shape } from '../../core/shape.ts';
import { type ChannelLayout, layoutKey, quadsFor, unpackQuads } from './channel-layout.ts';
import type { Device, DeviceArray } from './device.ts';
import { DeviceCopy } from './device-copy.ts';
import { packImages, packWeights } from './programs/pack.ts';
import type { Program } from './programs/program.ts';

/** A result on a device; read when somebody asks for its elements, and then kept here too. */
class DeviceSource implements StorageSource {
  readonly length: number;
  readonly isReadOnly = true;
  readonly #copy: DeviceCopy;
  #onHost: Float32Array | null = null;

  constructor(copy: DeviceCopy, length: number) {
    this.#copy = copy;
    this.length = length;
  }

  read(): Float32Array {
    this.#onHost ??= this.#copy.read();
    return this.#onHost;
  }

  leaveScopes(): StorageSource {
    return this.#copy.leaveScopes() ? this : new HostSource(this.read());
  }
}

/** The device in use, and whether results stay on it until the CPU asks for them. */
export interface GpuSettings {
  readonly device: Device;
  readonly keepOnDevice: boolean;
}

/** Shape of four axes; the op has checked it. */
export type Shape4 = readonly [number, number, number, number];

/** The elements [N, C, H, W] from texels [N, quads, H, W]. */
export function unpackImages(
  texels: Float32Array,
  [images, channels, height, width]: Shape4,
  layout: ChannelLayout,
  target: Float32Array = new Float32Array(images * channels * height * width),
): Float32Array {
  unpackQuads(texels, layout, { items: images, planeSize: height * width }, target);
  return target;
}

/** The elements [O, I, kH, kW] from texels [output quads, I rounded up to quads, kH · kW]. */
export function unpackWeights(
  texels: Float32Array,
  [outChannels, inChannels, kernelHeight, kernelWidth]: Shape4,
  layout: ChannelLayout,
): Float32Array {
  const taps = kernelHeight * kernelWidth;
  const paddedRow = 4 * quadsFor(inChannels) * taps;
  const padded = new Float32Array(outChannels * paddedRow);
  unpackQuads(texels, layout, { items: 1, planeSize: paddedRow }, padded);
  const row = inChannels * taps;
  if (row === paddedRow) return padded;
  const weights = new Float32Array(outChannels * row);
  for (let o = 0; o < outChannels; o++) {
    weights.set(padded.subarray(o * paddedRow, o * paddedRow + row), o * row);
  }
  return weights;
}

export interface ImageRange {
  readonly start: number;
  readonly end: number;
}

/** The elements of some images of [N, …] in main memory. */
export function someOf(x: NdArray, { start, end }: ImageRange): Float32Array {
  const size = x.size / x.shape[0];
  return (x.data as Float32Array).subarray(start * size, end * size); // Others went elsewhere.
}

/** One call of a kernel: brings its operands to the device, and frees what nobody keeps. */
export class Pass {
  readonly device: Device;
  readonly #keepsResults: boolean;
  readonly #temporaries = new Set<DeviceArray>();

  constructor({ device, keepOnDevice }: GpuSettings) {
    this.device = device;
    this.#keepsResults = keepOnDevice;
  }

  /** A result that lives until the end of the call, unless `result` keeps it. */
  run(program: Program, values: readonly (DeviceArray | Float32Array)[]): DeviceArray {
    const array = this.device.run(program, values);
    this.#temporaries.add(array);
    return array;
  }

  /** The images of an array, which stay on the device as long as the array lives. */
  images(x: NdArray, layout: ChannelLayout): DeviceArray {
    const shape = x.shape as Shape4; // The op has checked the rank.
    return this.#operand(x, `images ${shape.join('x')} ${layoutKey(layout)}`, {
      pack: packImages(shape, layout),
      unpack: (texels) => unpackImages(texels, shape, layout),
    });
  }

  /** The images from `start` to `end`, for this call only. */
  someImages(x: NdArray, layout: ChannelLayout, { start, end }: ImageRange): DeviceArray {
    const [, channels, height, width] = x.shape as Shape4; // The op has checked the rank.
    const pack = packImages([end - start, channels, height, width], layout);
    return this.run(pack, [someOf(x, { start, end })]);
  }

  /** One number for each channel, [C]. */
  channels(x: NdArray, layout: ChannelLayout): DeviceArray {
    return this.images(x.withShape([1, x.size, 1, 1]), layout);
  }

  /** Weights [O, I, kH, kW]; they stay as images do. */
  weights(x: NdArray, layout: ChannelLayout): DeviceArray {
    const shape = x.shape as Shape4; // The op has checked the rank.
    const [outChannels, inChannels, kernelHeight, kernelWidth] = shape;
    return this.#operand(x, `weights ${shape.join('x')} ${layoutKey(layout)}`, {
      pack: packWeights([outChannels, inChannels, kernelHeight * kernelWidth], layout),
      unpack: (texels) => unpackWeights(texels, shape, layout),
    });
  }

  /** Images as a result. */
  imageResult(array: DeviceArray, shape: Shape4, layout: ChannelLayout): NdArray {
    const unpack = (texels: Float32Array) => unpackImages(texels, shape, layout);
    return this.result(array, shape, `images ${shape.join('x')} ${layoutKey(layout)}`, unpack);
  }

  /** A result of the call; its elements are read when asked for. */
  result(
    array: DeviceArray,
    shape: Shape,
    form: string,
    unpack: (texels: Float32Array) => Float32Array,
  ): NdArray {
    const copy = new DeviceCopy(this.device, array, unpack);
    const stays = this.#keepsResults && (isInMemoryScope() || copy.leaveScopes());
    if (!stays) return NdArray.fromTypedArray(copy.read(), shape, 'float32');
    this.#temporaries.delete(array);
    const storage = new Storage('float32', new DeviceSource(copy, elementCount(shape)));
    storage.keepCopy(this.#key(form), copy);
    return new NdArray(shape, storage);
  }

  close(): void {
    for (const array of this.#temporaries) this.device.free(array);
    this.#temporaries.clear();
  }

  #operand(
    x: NdArray,
    form: string,
    { pack, unpack }: { pack: Program; unpack: (texels: Float32Array) => Float32Array },
  ): DeviceArray {
    const { storage } = x;
    const key = this.#key(form);
    const kept = storage.copyOf(key);
    if (kept instanceof DeviceCopy) return kept.array;
    const elements = x.data as Float32Array; // Others were sent to another backend.
    // Somebody who holds the elements may change them unseen.
    if (storage.isExposed || !this.#keepsResults) return this.run(pack, [elements]);
    const array = this.device.run(pack, [elements]);
    const copy = new DeviceCopy(this.device, array, unpack);
    if (storage.isOutsideScopes && !copy.leaveScopes()) this.#temporaries.add(array);
    else storage.keepCopy(key, copy);
    return array;
  }

  #key(form: string): string {
    return `${this.device.id} ${form}`;
  }
}

/** Runs `body` with a pass, and frees at the end what it has left on the device. */
export function inPass<Result>(settings: GpuSettings, body: (pass: Pass) => Result): Result {
  const pass = new Pass(settings);
  try {
    return body(pass);
  } finally {
    pass.close();
  }
}
