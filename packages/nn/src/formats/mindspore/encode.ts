import { ValueError } from '@firelight/tensor';
import { quote } from '@firelight/tensor/extend';
import { elementBytes, joinBytes } from '@firelight/tensor/formats';
import type { Snapshot } from '../../checkpoint/snapshot.ts';
import { bytesField, type Chunks, textField, varintField } from '../protobuf.ts';
import { DTYPE_NAMES, TEXT_TYPE } from './element-types.ts';

/** MindSpore's own bound: more elements of a tensor go into the next value. */
const SLICE_BYTES = 512 * 2 ** 20;

function slicesOf(
  tag: string,
  type: string,
  dims: readonly number[],
  content: Uint8Array,
  sliceBytes: number,
): Chunks[] {
  const slices: Chunks[] = [];
  for (let at = 0; at === 0 || at < content.length; at += sliceBytes) {
    const tensor = [
      ...dims.flatMap((length) => varintField(1, length)),
      ...textField(2, type),
      ...bytesField(3, [content.subarray(at, at + sliceBytes)]),
    ];
    slices.push(bytesField(1, [...textField(1, tag), ...bytesField(2, tensor)]));
  }
  return slices;
}

/** A text as NumPy has it, four bytes a character. */
function textBytes(text: string): Uint8Array {
  const characters = Array.from(text, (character) => character.codePointAt(0) as number);
  return new Uint8Array(Uint32Array.from(characters).buffer);
}

/**
 * The bytes of a checkpoint of MindSpore, without a checksum; texts follow the tensors.
 *
 * @param options `sliceBytes`: how much of a tensor a value holds at most
 * @throws ValueError if a text has the name of a tensor
 */
export function encodeMindSpore(
  { tensors, metadata }: Snapshot,
  { sliceBytes = SLICE_BYTES }: { readonly sliceBytes?: number } = {},
): Uint8Array {
  const values = Object.entries(tensors).flatMap(([tag, { array, dtype, shape }]) => {
    // Not `tensor.data`: these are read at once and need no copy.
    const content = elementBytes(array.data, dtype);
    const dims = shape.length === 0 ? [0] : shape;
    return slicesOf(tag, DTYPE_NAMES[dtype], dims, content, sliceBytes);
  });
  const texts = Object.entries(metadata).flatMap(([tag, text]) => {
    if (Object.hasOwn(tensors, tag)) {
      throw new ValueError(
        `mindspore: ${quote(tag)} is the name of a tensor and of a text; rename one of them`,
      );
    }
    return slicesOf(tag, TEXT_TYPE, [0], textBytes(text), sliceBytes);
  });
  return joinBytes([...values, ...texts].flat());
}
