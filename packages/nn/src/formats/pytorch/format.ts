import { type Tensor, tensor, zeros } from '@firelight/tensor';
import { type ByteSource, lazyTensors } from '@firelight/tensor/formats';
import { saveBytes, toSnapshot } from '../../checkpoint/checkpoint.ts';
import type { CheckpointFormat } from '../../checkpoint/format.ts';
import { withExtension } from '../../checkpoint/formats.ts';
import type { FileContent, OptimizerContent } from '../../checkpoint/snapshot.ts';
import type { Module, StateDict } from '../../module/module.ts';
import { looksLikePytorch, readArchive } from './archive.ts';
import { contentOf } from './content.ts';
import { optimizerOf, type PickledOptimizer } from './optimizer.ts';
import { checkTensors, readTensor, type Storages } from './tensors.ts';
import { PickledTensor } from './values.ts';
import { encodePytorch, type PytorchSnapshot } from './write.ts';

/**
 * Files of `torch.save`: zip archives, and the form before PyTorch 1.6. Nothing in them is run; tensors,
 * and the dicts and numbers around them, are all that is read.
 */
export const PYTORCH: CheckpointFormat = {
  name: 'pytorch',
  extensions: ['.pth', '.pt', '.bin'],
  recognise: looksLikePytorch,

  async read(source): Promise<FileContent> {
    const { value, storages } = await readArchive(source);
    const { weights, metadata, optimizer, notes } = contentOf(value, source);
    const allNotes = [...notes];
    const found = optimizer === null ? null : optimizerOf(optimizer, weights, allNotes);
    const states = [...(found?.state ?? [])].filter(
      (entry): entry is [string, PickledTensor] => entry[1] instanceof PickledTensor,
    );
    checkTensors([...weights, ...states], storages, source);
    const tensors = lazyTensors(recordOf(weights), (name, entry) =>
      readTensor(name, entry, storages, source),
    );
    const content = { tensors, metadata, isForeign: true, notes: allNotes };
    return found === null
      ? content
      : { ...content, optimizer: optimizerContent(found, storages, source) };
  },

  write: encodePytorch,
};

/**
 * Writes a network's tensors to a file that `torch.load(…, weights_only=True)` reads, replaced as a whole
 * or not at all: a state dict, or a dict with `state_dict`, `optimizer` and strings where there are any.
 *
 * @param path with `.pth`, `.pt` or `.bin` at its end, else it gets `.pth`
 * @returns the path of the file
 * @throws CheckpointError if the file cannot be written; DTypeError for uint16 and uint32
 */
export async function savePytorch(
  source: Module | PytorchSnapshot | StateDict,
  path: string,
): Promise<string> {
  const file = withExtension(path, PYTORCH);
  await saveBytes(file, (async () => encodePytorch(toSnapshot(source)))());
  return file;
}

function optimizerContent(
  { state, zeros: fresh, groups }: PickledOptimizer,
  storages: Storages,
  source: ByteSource,
): OptimizerContent {
  const entries = recordOf<() => Tensor>([
    ...[...state].map(([name, value]): [string, () => Tensor] => [
      name,
      () => stateTensor(name, value, storages, source),
    ]),
    ...[...fresh].map(([name, { shape }]): [string, () => Tensor] => [name, () => zeros(shape)]),
  ]);
  return { state: lazyTensors(entries, (_, read) => read()), groups };
}

function stateTensor(
  name: string,
  value: PickledTensor | number,
  storages: Storages,
  source: ByteSource,
): Tensor {
  const isCount = name.startsWith('steps.');
  if (!isCount && value instanceof PickledTensor) return readTensor(name, value, storages, source);
  const steps =
    value instanceof PickledTensor ? readTensor(name, value, storages, source).item() : value;
  return tensor([steps], { dtype: 'int32' });
}

function recordOf<Entry>(entries: Iterable<readonly [string, Entry]>): Record<string, Entry> {
  const record: Record<string, Entry> = Object.create(null);
  for (const [name, entry] of entries) record[name] = entry;
  return record;
}
