import { CHECKPOINT_FORMATS } from '@firelight/nn/formats';
import type { ByteSource } from '@firelight/tensor/formats';

/** What the format of a checkpoint is called, as its bytes tell. */
export function formatName(source: ByteSource): string {
  return CHECKPOINT_FORMATS.find((each) => each.recognise(source))?.name ?? 'safetensors';
}
