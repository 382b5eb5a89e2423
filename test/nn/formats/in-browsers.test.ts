import { fileURLToPath } from 'node:url';
import { encodePytorch } from '@firelight/nn/formats';
import { tensor } from '@firelight/tensor';
import { encodeNpy } from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { bundle, chromiumPath, reportOf } from '../../helpers/browser.ts';
import { freeZip } from '../../helpers/free-zip.ts';

const chromium = chromiumPath();
const entry = fileURLToPath(new URL('../../fixtures/browser/open-checkpoint.ts', import.meta.url));

describe.skipIf(chromium === null)('in Chromium (skipped where there is none)', () => {
  test('a page opens the files that are dropped on it', async () => {
    const x = tensor([1, -2, 3.5]);
    const files = new Map(await bundle(entry));
    const dropped = {
      'a.npz': freeZip([{ name: 'x.npy', content: encodeNpy(x), method: 8 }]),
      'b.pth': encodePytorch({ tensors: { x }, metadata: {} }),
    };
    for (const [name, bytes] of Object.entries(dropped)) {
      files.set(`/${name}.txt`, Buffer.from(bytes).toString('base64'));
    }
    const report = await reportOf(files, { chromium: chromium as string, isolated: false });
    const content = [['x', [1, -2, 3.5]]];
    expect(report).toEqual({ archive: ['a.npz', content], weights: ['b.pth', content] });
  }, 60_000);
});
