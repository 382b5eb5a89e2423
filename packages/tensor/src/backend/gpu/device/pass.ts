import { ArrayStorage, isInMemoryScope } from '../../../core/memory.ts';
import { NdArray } from '../../../core/ndarray.ts';
import { elementCount, type Shape } from '../../../core/shape.ts';
import { HostSource, type StorageSource } from '../../../core/storage-source.ts';
import type { ChannelLayout } from '../layout/channel-layout.ts';
import { type Form, imageForm, type Shape4, weightForm } from '../layout/form.ts';
import { packImages, packWeights } from '../programs/pack.ts';
import type { Program } from '../programs/program.ts';
import type { Device, DeviceArray } from './device.ts';
import { DeviceCopy } from './device-copy.ts';

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
  /** Operands that this call has uploaded. */
  readonly #operands = new Map<ArrayStorage, Map<string, DeviceArray>>();

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
    return this.#operand(x, imageForm(shape, layout), () => packImages(shape, layout));
  }

  /** The images of a range, for this call only, which takes no other range. */
  someImages(x: NdArray, layout: ChannelLayout, range: ImageRange): DeviceArray {
    const [, channels, height, width] = x.shape as Shape4; // The op has checked the rank.
    const shape: Shape4 = [range.end - range.start, channels, height, width];
    return this.#once(x, imageForm(shape, layout), () =>
      this.run(packImages(shape, layout), [someOf(x, range)]),
    );
  }

  /** One number for each channel, [C]. */
  channels(x: NdArray, layout: ChannelLayout): DeviceArray {
    return this.images(x.withShape([1, x.size, 1, 1]), layout);
  }

  /** Weights [O, I, kH, kW]; they stay as images do. */
  weights(x: NdArray, layout: ChannelLayout): DeviceArray {
    const shape = x.shape as Shape4; // The op has checked the rank.
    return this.#operand(x, weightForm(shape, layout), () => packWeights(shape, layout));
  }

  /** A result of the call; its elements are read when asked for. */
  result(array: DeviceArray, shape: Shape, form: Form): NdArray {
    const copy = new DeviceCopy(this.device, array, form);
    const stays = this.#keepsResults && (isInMemoryScope() || copy.leaveScopes());
    if (!stays) return NdArray.fromTypedArray(copy.read(), shape, 'float32');
    this.#temporaries.delete(array);
    const storage = new ArrayStorage('float32', new DeviceSource(copy, elementCount(shape)));
    storage.keepCopy(this.#key(form), copy);
    return new NdArray(shape, storage);
  }

  close(): void {
    for (const array of this.#temporaries) this.device.free(array);
    this.#temporaries.clear();
  }

  #operand(x: NdArray, form: Form, pack: () => Program): DeviceArray {
    const { storage } = x;
    const kept = storage.copyOf(this.#key(form));
    if (kept instanceof DeviceCopy) return kept.array;
    return this.#once(x, form, () => {
      const array = this.run(pack(), [x.data as Float32Array]); // Others went elsewhere.
      if (!this.#keepsResults) return array;
      const copy = new DeviceCopy(this.device, array, form);
      if (storage.isOutsideScopes && !copy.leaveScopes()) return array;
      this.#temporaries.delete(array);
      storage.keepCopy(this.#key(form), copy);
      return array;
    });
  }

  /** Uploads an operand once in this call. */
  #once({ storage }: NdArray, { key }: Form, upload: () => DeviceArray): DeviceArray {
    const present = this.#operands.get(storage) ?? new Map<string, DeviceArray>();
    this.#operands.set(storage, present);
    const array = present.get(key) ?? upload();
    present.set(key, array);
    return array;
  }

  #key({ key }: Form): string {
    return `${this.device.id} ${key}`;
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
