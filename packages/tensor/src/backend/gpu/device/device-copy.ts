import type { StorageCopy } from '../../../core/storage-source.ts';
import type { Form } from '../layout/form.ts';
import type { Device, DeviceArray } from './device.ts';

/** Most bytes on devices of arrays outside of scopes; dropped ones count until finalizers run. */
const RESIDENT_BYTES = 2 ** 28;
const BYTES_PER_TEXEL = 16;

let residentBytes = 0;

/** The elements of a storage as texels of a device. */
export class DeviceCopy implements StorageCopy {
  readonly device: Device;
  readonly array: DeviceArray;
  readonly form: Form;
  #isResident = false;

  constructor(device: Device, array: DeviceArray, form: Form) {
    this.device = device;
    this.array = array;
    this.form = form;
  }

  get #bytes(): number {
    return this.array.texels * BYTES_PER_TEXEL;
  }

  /** The elements in row-major order. */
  read(): Float32Array {
    return this.form.unpack(this.device.read(this.array));
  }

  /**
   * Outside of scopes only finalizers free it, which do not run in a synchronous loop: a bounded
   * number of bytes may stay.
   */
  leaveScopes(): boolean {
    if (this.#isResident) return true;
    if (residentBytes + this.#bytes > RESIDENT_BYTES) return false;
    residentBytes += this.#bytes;
    this.#isResident = true;
    return true;
  }

  free(): void {
    if (this.#isResident) residentBytes -= this.#bytes;
    this.device.free(this.array);
  }
}
