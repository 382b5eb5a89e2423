import { openCheckpoint } from '@firelight/nn/formats';
import { describe, expect, test } from 'vitest';
import {
  archive,
  code,
  dictOf,
  pickled,
  tensorCode,
  unicode,
} from '../../helpers/pytorch-archive.ts';

describe('names', () => {
  const read = async (value: Uint8Array) => openCheckpoint(archive(pickled(value)));

  test.each<[what: string, value: Buffer, names: string[], notes: RegExp[]]>([
    ['of a state dict stay', dictOf('model.a', tensorCode()), ['model.a'], []],
    [
      'of DataParallel lose its beginning',
      dictOf('module.a', tensorCode()),
      ['a'],
      [/begin with 'module\.'/],
    ],
    [
      'of both lose both',
      dictOf('module._orig_mod.a', tensorCode()),
      ['a'],
      [/begin with 'module\.'/, /begin with '_orig_mod\.'/],
    ],
    ...['state_dict', 'model_state_dict', 'model', 'net'].map(
      (wrapper): [string, Buffer, string[], RegExp[]] => [
        `in '${wrapper}' are those of the weights`,
        dictOf(wrapper, dictOf('a', tensorCode())),
        ['a'],
        [new RegExp(`the weights are in '${wrapper}'`)],
      ],
    ),
    [
      'in two wrappers too',
      dictOf('model', dictOf('state_dict', dictOf('a', tensorCode()))),
      ['a'],
      [/in 'model'/, /in 'state_dict'/],
    ],
    ['of dicts in dicts are joined', dictOf('G', dictOf('a', tensorCode())), ['G.a'], []],
    [
      'of a list are numbers',
      Buffer.concat([code(']('), tensorCode(), tensorCode(), code('e')]),
      ['0', '1'],
      [],
    ],
    ['of a tensor alone', tensorCode(), ['tensor'], []],
    ['that objects have', dictOf('__proto__', tensorCode()), ['__proto__'], []],
  ])('%s', async (_, value, names, notes) => {
    const content = await read(value);
    expect(Object.keys(content.tensors)).toEqual(names);
    expect(content.tensors[names[0]].toArray()).toEqual([1, 2, 3, 4]);
    expect(content.notes).toHaveLength(notes.length);
    notes.forEach((note, i) => {
      expect(content.notes?.[i]).toMatch(note);
    });
  });

  test('of an optimizer of another kind are left out, which is said', async () => {
    const [weights, other] = [dictOf('a', tensorCode()), code('}')];
    const value = [code('}('), unicode('net'), weights, unicode('optimizer'), other, code('u')];
    const { notes, optimizer } = await read(Buffer.concat(value));
    expect(notes?.at(-1)).toMatch(/left out: the optimizer, which has no state and param_groups/);
    expect(optimizer).toBeUndefined();
  });

  test('of an OrderedDict of Python 2 are read', async () => {
    const pairs = code('ccollections\nOrderedDict\n](](U\x01a');
    const { tensors } = await read(Buffer.concat([pairs, tensorCode(), code('ee\x85R')]));
    expect(tensors.a.toArray()).toEqual([1, 2, 3, 4]);
  });
});
