import { type ByteSource, firstBytes, lastBytes } from '@firelight/tensor/formats';

/**
 * Files of other kinds that people pass for a checkpoint, told by their first bytes, with what to do
 * about each. The bytes are those of the formats' own specifications.
 */
interface FileKind {
  /** Fits the first bytes as `textOf` shows them; for a zip, with the last bytes behind them. */
  readonly test: RegExp;
  readonly is: string;
  readonly remedy: string;
}

/** Bytes that are looked at: a tar says what it is at 257. */
const HEAD_BYTES = 2048;
/** A zip names all its members at the end. */
const TAIL_BYTES = 4096;

const FROM_PYTORCH =
  "load it in PyTorch and save it with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')";
const READ_ELSEWHERE = 'openCheckpoint of @firelight/nn/formats reads it';
const FROM_ENCRYPTED = 'load it in MindSpore with dec_key and save it without enc_key';
const FROM_KERAS = 'load it in Keras and save its weights with safetensors.numpy.save_file';
const FROM_PICTURE = 'a checkpoint ends in .safetensors; pass that file';
const UNPACK = 'unpack it and pass the .safetensors file in it';
const FETCH_AGAIN = 'fetch it again from an address that gives the file itself';

/**
 * In order: the first that fits is right. Four zeros from byte 4 on are those of a safetensors file's
 * length, so a cut one is not taken for another kind.
 */
const KINDS: readonly FileKind[] = [
  { test: /^$/, is: 'is empty', remedy: 'save or fetch it again' },
  {
    test: /^PK␃␄.*constants\.pkl|^PK␃␄.*\/code\//s,
    is: 'is TorchScript (.pt)',
    remedy: FROM_PYTORCH,
  },
  { test: /^PK␃␄.*data\.pkl/s, is: 'is of PyTorch (.pth, .pt, .ckpt)', remedy: READ_ELSEWHERE },
  { test: /^PK␃␄.*\.npy/s, is: 'is of NumPy (.npz)', remedy: READ_ELSEWHERE },
  { test: /^PK␃␄.*model\.weights\.h5/s, is: 'is of Keras (.keras)', remedy: FROM_KERAS },
  { test: /^PK(␃␄|␅␆)/, is: 'is a zip archive', remedy: UNPACK },
  {
    test: /^\x80[␂-␅](\x95.{8})?\x8a\nl\xfc\x9cF\xf9 j\xa8P␙/s,
    is: 'is of PyTorch before 1.6 (.pth, .pt)',
    remedy: READ_ELSEWHERE,
  },
  { test: /^(?!.{4}␀{4})\x80[␂-␅]/s, is: 'is a pickle of Python', remedy: FROM_PYTORCH },
  { test: /^\x93NUMPY/, is: 'is of NumPy (.npy)', remedy: READ_ELSEWHERE },
  { test: /^\x89HDF\r\n␚\n/, is: 'is HDF5 (.h5), as of Keras', remedy: FROM_KERAS },
  { test: /^␟\x8b␈/, is: 'is packed by gzip', remedy: UNPACK },
  { test: /^(BZh|\(\xb5\/\xfd|\xfd7zXZ␀)/, is: 'is packed', remedy: UNPACK },
  { test: /^.{257}ustar/s, is: 'is a tar archive', remedy: UNPACK },
  { test: /^\x89PNG/, is: 'is a PNG picture', remedy: FROM_PICTURE },
  { test: /^\xff\xd8\xff/, is: 'is a JPEG picture', remedy: FROM_PICTURE },
  {
    test: /^GGUF/,
    is: 'is GGUF, as of llama.cpp',
    remedy: 'fetch the .safetensors file of the same model',
  },
  {
    test: /^version https:\/\/git-lfs/,
    is: 'is a pointer of Git LFS, not the file',
    remedy: 'run git lfs pull where it was cloned',
  },
  {
    test: /^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)/i,
    is: 'is a web page',
    remedy: FETCH_AGAIN,
  },
  {
    test: /^\s*\{.*"(modelTopology|weightsManifest)"/s,
    is: 'is a model of TensorFlow.js (model.json)',
    remedy: 'openLayersModel of @firelight/nn/formats reads it',
  },
  {
    test: /^\s*\{.*"weight_map"/s,
    is: 'is the index of a model in several files',
    remedy: 'load each of the .safetensors files that it names',
  },
  {
    test: /^(?!.{4}␀{4})(\xef\xbb\xbf)?\s*[{[]\s*["{[\]}\dtfn-]/s,
    is: 'is JSON text',
    remedy: 'pass the file with the weights',
  },
  // ir_version, then producer, domain, version, graph, opset or metadata.
  {
    test: /^(?!.{4}␀{4})␈[␁-␟\t\n\r][␒␚"(2:Br]/s,
    is: 'is ONNX',
    remedy: `${READ_ELSEWHERE}, and importOnnx the network`,
  },
  // A message with a message that begins with a name and goes on with a tensor.
  {
    test: /^\n[\x80-\xff]*[^\x80-\xff]\n[^\x80-\xff][\w.\-/:]+␒/,
    is: 'is of MindSpore (.ckpt)',
    remedy: READ_ELSEWHERE,
  },
  { test: /^[\xd8-\xda]\^:\x7f/, is: 'is of MindSpore, encrypted', remedy: FROM_ENCRYPTED },
];

/** What a file is that is no safetensors file, and what to do; null if it looks like nothing known. */
export function describeKind(source: ByteSource): string | null {
  const head = textOf(firstBytes(source, HEAD_BYTES));
  const text = head.startsWith('PK') ? head + textOf(lastBytes(source, TAIL_BYTES)) : head;
  const kind = KINDS.find(({ test }) => test.test(text));
  return kind === undefined ? null : `${kind.is}, no safetensors file; ${kind.remedy}`;
}

/** A character for each byte: Latin-1, with the pictures of control characters (␀ ␁ …) but \t \n \r. */
function textOf(bytes: Uint8Array): string {
  const isPictured = (byte: number): boolean =>
    byte < 0x20 && !/[\t\n\r]/.test(String.fromCharCode(byte));
  return Array.from(bytes, (byte) =>
    String.fromCharCode(isPictured(byte) ? 0x2400 + byte : byte),
  ).join('');
}
