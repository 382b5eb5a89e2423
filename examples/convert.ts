import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { registerCheckpointFormat } from '@firelight/nn';
import {
  COMPACT,
  exportNames,
  exportOnnx,
  MINDSPORE,
  mapNames,
  NPZ,
  type OriginName,
  PYTORCH,
} from '@firelight/nn/formats';
import { cast, type Shape, type Tensor, ValueError } from '@firelight/tensor';
import { printable, printablePath, quote } from '@firelight/tensor/extend';
import {
  encodeTensors,
  isThere,
  networkOf,
  type Opened,
  openAny,
} from './support/convert-files.ts';
import { readArguments } from './support/read-arguments.ts';
import { run } from './support/run.ts';
import { writeWhole } from './support/write-whole.ts';

const HELP = `Converts weights between the formats of programs.

Usage: node --conditions=@firelight/source --import tsx examples/convert.ts <in> <out> [flags]

<in> is a checkpoint of any format that is read here (safetensors, PyTorch, NumPy, MindSpore, Deep
Compression, .flc, ONNX), as its bytes tell, or a model.json of TensorFlow.js. The extension of <out> chooses
what is written: .safetensors, .pth, .pt, .npz, .ckpt (MindSpore), .flc (compressed), or .onnx, which needs
weights of a network that is known here. A <out> that is there stays, unless you pass --force.

  --names <origin>   gives tensors the names of firelight, torchvision, timm, pytorch, mindspore, mindcv,
                     caffe or gluon
  --dtype <dtype>    makes floats float16, bfloat16 or float32
  --input <shape>    shape of the input of an .onnx file, such as 1,3,224,224, where it is not known
  --force            replaces <out>
  --help             print this text`;

const FLAGS = {
  names: { type: 'string' },
  dtype: { type: 'string' },
  input: { type: 'string' },
  force: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const ONNX = '.onnx';
/** The names of formats by extension. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['.safetensors', 'safetensors'],
  ['.pth', PYTORCH.name],
  ['.pt', PYTORCH.name],
  ['.npz', NPZ.name],
  ['.ckpt', MINDSPORE.name],
  ['.flc', COMPACT.name],
  [ONNX, 'onnx'],
]);
/** Formats that hold arrays alone. */
const WITHOUT_METADATA: readonly string[] = [NPZ.name, MINDSPORE.name];

const ORIGINS: readonly OriginName[] = [
  ...(['firelight', 'torchvision', 'timm', 'pytorch'] as const),
  ...(['mindspore', 'mindcv', 'caffe', 'gluon'] as const),
];
const DTYPES = ['float16', 'bfloat16', 'float32'] as const;
const FLOATS: readonly string[] = ['float64', ...DTYPES];

type Tensors = Readonly<Record<string, Tensor>>;

/** The value of a flag that is one of a few, or undefined where it was not given. */
function choice<Value extends string>(
  flag: string,
  text: string | undefined,
  values: readonly Value[],
): Value | undefined {
  const found = values.find((value) => value === text);
  if (text === undefined || found !== undefined) return found;
  throw new ValueError(`--${flag} must be one of ${values.join(', ')}, got ${quote(text)}`);
}

function shapeOf(text: string | undefined): Shape | undefined {
  if (text === undefined) return undefined;
  const shape = text.split(',').map(Number);
  if (shape.every((length) => Number.isInteger(length) && length > 0)) return shape;
  throw new ValueError(`--input must be lengths ≥ 1, such as 1,3,224,224, got ${quote(text)}`);
}

/** The tensors under the names of `origin`, with the elements that they have in the file. */
function renamed(opened: Opened, origin: OriginName, notes: string[]): Tensors {
  const { network } = networkOf(opened);
  const { checkpoint } = opened;
  const {
    state,
    unused,
    notes: told,
  } = mapNames(network, checkpoint.tensors, {
    origin: checkpoint.isForeign === false ? 'firelight' : checkpoint.origin,
    file: printablePath(checkpoint.file),
  });
  for (const note of told) notes.push(note);
  if (unused.length > 0) notes.push(`no part of the network, left out: ${unused.join(', ')}`);
  const own = Object.keys(network.stateDict());
  const others = Object.keys(exportNames(network, origin));
  return Object.fromEntries(own.map((name, i) => [others[i], state[name]]));
}

function onnxOf(opened: Opened, input: Shape | undefined): Uint8Array {
  const { network, inputShape } = networkOf(opened);
  const shape = input ?? inputShape;
  if (shape === null) {
    throw new ValueError(
      'nothing tells what size the inputs of this network have; pass --input, such as 1,3,32,32',
    );
  }
  const { metadata } = opened.checkpoint;
  return exportOnnx(network.eval(), { inputShape: shape, metadata });
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments({ options: FLAGS, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (positionals.length !== 2) {
    throw new ValueError(`pass two files, <in> and <out>, got ${positionals.length}; see --help`);
  }
  const [from, to] = positionals;
  const format = FORMATS.get(extname(to).toLowerCase());
  if (format === undefined) {
    throw new ValueError(
      `${printablePath(to)}: its extension names no format that is written here; use ${[...FORMATS.keys()].join(', ')}`,
    );
  }
  const origin = choice('names', values.names, ORIGINS);
  const dtype = choice('dtype', values.dtype, DTYPES);
  const input = shapeOf(values.input);
  if (format === 'onnx' && (origin ?? dtype) !== undefined) {
    throw new ValueError('an .onnx file has our names and float32; leave out --names and --dtype');
  }
  if (!values.force && (await isThere(to))) {
    throw new ValueError(`${printablePath(to)}: is there already; pass --force to replace it`);
  }
  for (const each of [PYTORCH, NPZ, MINDSPORE, COMPACT]) registerCheckpointFormat(each);

  const opened = await openAny(from);
  const { checkpoint } = opened;
  const notes = [...opened.notes];
  const named = origin === undefined ? checkpoint.tensors : renamed(opened, origin, notes);
  const tensors = Object.fromEntries(
    Object.entries(named).map(([name, each]) => [
      name,
      dtype !== undefined && FLOATS.includes(each.dtype) ? cast(each, dtype) : each,
    ]),
  );
  const keeps = !WITHOUT_METADATA.includes(format);
  const texts = Object.keys(checkpoint.metadata);
  if (!keeps && texts.length > 0) {
    notes.push(`${format} holds arrays alone, so these texts are left out: ${texts.join(', ')}`);
  }
  const bytes =
    format === 'onnx'
      ? onnxOf(opened, input)
      : await encodeTensors(tensors, keeps ? checkpoint.metadata : {}, format);
  const { size } = await stat(from);
  await writeWhole(to, bytes);
  console.log(`${printablePath(from)}: ${opened.format}, ${size} bytes`);
  for (const note of notes) console.log(`  ${printable(note)}`);
  console.log(
    `${printablePath(to)}: ${format}, ${Object.keys(tensors).length} tensors, ${bytes.length} bytes`,
  );
}

await run(main);
