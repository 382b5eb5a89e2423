import type { FieldValues } from '../../runtime/task.ts';

/** Planes of images, some of the channels of each. */
export const IMAGES = {
  address: 'address',
  count: 'i32',
  channels: 'i32',
  height: 'i32',
  width: 'i32',
  /** From one image to the next. */
  stride: 'bytes',
} as const;

export type Images = FieldValues<typeof IMAGES>;
