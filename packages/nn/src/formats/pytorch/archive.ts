import { quote } from '@firelight/tensor/extend';
import {
  type ByteSource,
  firstBytes,
  latin1,
  type PickleValue,
  partOfSource,
  readZip,
  unpickle,
  zipNames,
} from '@firelight/tensor/formats';
import { type Storages, widthOf } from './tensors.ts';
import { GLOBALS, type PickledStorage, storageOf, textOf } from './values.ts';

/** What a file of `torch.save` holds: the object that was saved, and the storages of its tensors. */
export interface Archive {
  readonly value: PickleValue;
  readonly storages: Storages;
}

const SAVE_AGAIN =
  "load the file in PyTorch, if you trust it, and save torch.save(model.state_dict(), 'weights.pth')";
const REMEDY = 'the file is damaged, or none of torch.save';

/** What to do about a name that no file of weights needs. */
function remedyForName(name: string): string {
  if (name.startsWith('__torch__')) return `the file is TorchScript; ${SAVE_AGAIN}`;
  const isModule = /^torch\.nn\.modules\.|^torchvision\.models|^__main__\./.test(name);
  return isModule ? `the file holds a whole module, with its code; ${SAVE_AGAIN}` : SAVE_AGAIN;
}

const PICKLE = /^(.*\/)?data\.pkl$/;
/** The number that is the first pickle of a file before PyTorch 1.6, and where it may stand. */
const LEGACY_NUMBER = '\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19';
/** Behind the protocol, or behind the frame that protocols from 4 on have too. */
const LEGACY_PLACES = [2, 11];
/** A tar, as before PyTorch 0.1.10, begins with the name of one of these members. */
const TAR_MEMBERS = ['sys_info', 'pickle', 'tensors', 'storages'];
const [TAR_MARK, TAR_MARK_AT] = ['ustar', 257];
const START_BYTES = 512;

/** Which form of file it is; null for none of PyTorch. */
function formOf(source: ByteSource): 'legacy' | 'tar' | 'zip' | null {
  const start = latin1(firstBytes(source, START_BYTES));
  const isLegacy = LEGACY_PLACES.some((place) => start.startsWith(LEGACY_NUMBER, place));
  if (isLegacy && start.startsWith('\x80')) return 'legacy';
  const isTar =
    TAR_MEMBERS.some((name) => start.startsWith(`${name}\0`)) &&
    start.startsWith(TAR_MARK, TAR_MARK_AT);
  if (isTar) return 'tar';
  return zipNames(source).some((name) => PICKLE.test(name)) ? 'zip' : null;
}

/** Whether a file is of `torch.save` or `torch.jit.save`, of any version. */
export function looksLikePytorch(source: ByteSource): boolean {
  return formOf(source) !== null;
}

/**
 * Reads what `torch.save` wrote; nothing in it is run.
 *
 * @throws the source's error if it is damaged, and for what is refused
 */
export async function readArchive(source: ByteSource): Promise<Archive> {
  switch (formOf(source)) {
    case 'legacy':
      return readLegacy(source);
    case 'tar':
      throw source.error(
        'is a tar archive of PyTorch before 0.1.10; load it in PyTorch and save it again with ' +
          "torch.save(torch.load('old.pth'), 'new.pth')",
      );
    default:
      return readZipped(source);
  }
}

async function readZipped(source: ByteSource): Promise<Archive> {
  const members = await readZip(source);
  const [pickle, ...others] = [...members.values()].filter(({ name }) => PICKLE.test(name));
  if (pickle === undefined || others.length > 0) {
    throw source.error('has not one data.pkl, so it is no file of torch.save');
  }
  const root = pickle.name.slice(0, -'data.pkl'.length);
  const isScript = [...members.keys()].some(
    (name) => name === `${root}constants.pkl` || name.startsWith(`${root}code/`),
  );
  if (isScript) {
    throw source.error(
      'is TorchScript, which holds code; load it in PyTorch with torch.jit.load, and save ' +
        "torch.save(model.state_dict(), 'weights.pth')",
    );
  }
  const order = members.get(`${root}byteorder`);
  const byteOrder = order === undefined ? 'little' : latin1(order.source.bytes(0, order.size));
  if (byteOrder !== 'little' && byteOrder !== 'big') {
    throw order?.source.error('says neither little nor big; the file is damaged');
  }
  const { value } = unpickle(pickle.source, {
    globals: GLOBALS,
    persistent: persistentIn(pickle.source, new Map()),
    remedy: REMEDY,
    remedyForName,
  });
  const data = `${root}data/`;
  const sources = new Map(
    [...members.values()]
      .filter(({ name }) => name.startsWith(data))
      .map((member) => [member.name.slice(data.length), member.source]),
  );
  return { value, storages: { sources, isBigEndian: byteOrder === 'big' } };
}

/** The storages that a pickle names, each kept under its key in `found`. */
function persistentIn(
  source: ByteSource,
  found: Map<string, PickledStorage>,
): (id: PickleValue) => PickledStorage {
  return (id) => {
    const storage = storageOf(id);
    if (storage === null) throw source.error(`asks for what is no storage; ${REMEDY}`);
    found.set(storage.key, storage);
    return storage;
  };
}

/**
 * A file before PyTorch 1.6: five pickles in succession (a number, the protocol, facts about the machine,
 * the object, the keys of the storages), then each storage: how many elements it has, and these.
 */
function readLegacy(source: ByteSource): Archive {
  const found = new Map<string, PickledStorage>();
  const values: PickleValue[] = [];
  let at = 0;
  while (values.length < 5) {
    const { value, end } = unpickle(source, {
      ...{ globals: GLOBALS, persistent: persistentIn(source, found), start: at },
      ...{ remedy: REMEDY, remedyForName },
    });
    values.push(value);
    at = end;
  }
  const [, protocol, system, value, keys] = values;
  if (protocol !== 1001 || !Array.isArray(keys)) {
    throw source.error(
      `is in version ${String(protocol)} of PyTorch's former format; 1001 is read`,
    );
  }
  if (system instanceof Map && system.get('little_endian') === false) {
    throw source.error(`was written on a big-endian machine; ${SAVE_AGAIN}`);
  }
  const sources = new Map<string, ByteSource>();
  for (const item of keys) {
    const key = textOf(item) ?? '';
    const type = found.get(key)?.type;
    if (type === undefined || type === null || sources.has(key)) {
      throw source.error(`lists a storage ${quote(key)} that no tensor has, or twice; ${REMEDY}`);
    }
    const head = source.bytes(at, at + 8);
    const count = Number(new DataView(head.buffer, head.byteOffset).getBigInt64(0, true));
    const end = at + 8 + count * widthOf(type);
    if (count < 0 || end > source.size) {
      throw source.error(`is cut off: storage ${quote(key)} should end at byte ${end}`);
    }
    sources.set(key, partOfSource(source, `storage ${quote(key)}`, at + 8, end));
    at = end;
  }
  return { value, storages: { sources, isBigEndian: false } };
}
