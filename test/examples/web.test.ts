import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { CIFAR10_CLASSES, decodeImage } from '@firelight/data';
import { encodeCheckpoint, LeNet5, SqueezeNet } from '@firelight/nn';
import { COMPACT, exportNames } from '@firelight/nn/formats';
import { Generator } from '@firelight/tensor';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createNetwork } from '../../examples/support/create-network.ts';
import { parseTrainOptions } from '../../examples/support/parse-train-options.ts';
import { type OpenedFiles, openFiles } from '../../examples/web/open-files.ts';
import { chromiumPath } from '../helpers/browser.ts';
import { PHOTOGRAPHS, photographFiles } from '../helpers/photographs.ts';
import { encodePng } from '../helpers/png.ts';
import { ROOT } from '../helpers/run-example.ts';
import { serveFolder } from '../helpers/serve-folder.ts';
import { sharedPath } from '../helpers/shared.ts';

const executablePath = chromiumPath();

/** What a browser makes of the names of files. */
const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.txt': 'text/plain',
};

let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;
let browser: Browser;
let page: Page;
/** Messages on the console, errors that nobody caught, and addresses elsewhere that were asked for. */
let complaints: string[];

describe.skipIf(executablePath === null)(
  'in Chromium (skipped where there is none)',
  { timeout: 120_000 },
  () => {
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'firelight-web-'));
      const configFile = join(ROOT, 'examples/web/vite.config.ts');
      await build({ configFile, logLevel: 'error', build: { outDir: join(folder, 'site') } });
      server = await serveFolder(join(folder, 'site'), '/some/folder/');
      browser = await chromium.launch({
        executablePath: executablePath as string,
        args: ['--no-sandbox'],
      });
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    beforeEach(async () => {
      complaints = [];
      page = await browser.newPage({ viewport: { width: 360, height: 740 } });
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => {
        const isOwn = request.url().startsWith(server.url) || /^(blob|data):/.test(request.url());
        if (!isOwn) complaints.push(request.url());
      });
      page.setDefaultTimeout(20_000);
      await page.goto(server.url);
      return async () => {
        await page.close();
        expect(complaints).toEqual([]);
      };
    });

    /** Drops files on the page, and waits until it is done with them. */
    async function drop(paths: readonly string[]): Promise<void> {
      const files = paths.map((path) => ({
        name: basename(path),
        type: TYPES[extname(path)] ?? '',
        text: readFileSync(path).toString('base64'),
      }));
      const dataTransfer = await page.evaluateHandle((given) => {
        const transfer = new DataTransfer();
        for (const { name, type, text } of given) {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type }));
        }
        return transfer;
      }, files);
      await page.dispatchEvent('body', 'drop', { dataTransfer });
      await settled();
    }

    async function settled(): Promise<void> {
      const isDone = /^(?!Opening|Classifying)./;
      await page
        .getByRole('status')
        .or(page.getByRole('alert'))
        .filter({ hasText: isDone })
        .waitFor();
    }

    const text = (selector: string) => page.locator(selector).textContent();
    const top = () => text('#classes li:first-child');

    /** What the page says of files, or the error that it shows. */
    async function shown(paths: readonly string[]): Promise<string[]> {
      await drop(paths);
      const error = await page.locator('#error').textContent();
      if (error !== '') return [error as string];
      return page.locator('#facts dd').allTextContents();
    }

    /** The same as Node has it. */
    async function known(paths: readonly string[]): Promise<[string[], OpenedFiles | null]> {
      const files = paths.map((path) => ({ name: basename(path), bytes: readFileSync(path) }));
      try {
        const opened = await openFiles(files);
        const { file, format, network, origin, tensors } = opened;
        return [[file, format, network, origin, String(Object.keys(tensors).length)], opened];
      } catch (error) {
        return [[(error as Error).message], null];
      }
    }

    /** A checkpoint as `npm run train` saves it, of a network that has learned nothing. */
    async function ownCheckpoint(): Promise<string> {
      const options = parseTrainOptions([]);
      const network = createNetwork(options, new Generator(3));
      const config = JSON.stringify({ options, classNames: CIFAR10_CLASSES });
      const path = join(folder, 'SqueezeNet-best.safetensors');
      const snapshot = { tensors: network.stateDict(), metadata: { config } };
      writeFileSync(path, await encodeCheckpoint(snapshot));
      return path;
    }

    function picture(): string {
      const path = join(folder, 'noise.png');
      const data = Uint8Array.from({ length: 48 * 40 * 3 }, (_, i) => (i * i * 37) % 256);
      writeFileSync(path, encodePng({ data, width: 48, height: 40 }));
      return path;
    }

    test('a network of npm run train says of a picture what it says in Node', async () => {
      const [path, png] = [await ownCheckpoint(), picture()];
      const [facts, opened] = await known([path]);
      expect(await shown([path])).toEqual(facts);
      expect(facts.slice(1)).toEqual([
        'safetensors',
        'SqueezeNet of npm run train',
        'firelight',
        String(Object.keys((opened as OpenedFiles).tensors).length),
      ]);
      expect(await text('#status')).toBe(`${basename(path)} is open; now open a picture.`);
      await drop([png]);
      const classifier = (opened as OpenedFiles).classifier;
      const ranked = classifier?.classify(await decodeImage(readFileSync(png)));
      const [{ label, share }] = ranked as NonNullable<typeof ranked>;
      const best = `${CIFAR10_CLASSES[label]}`;
      expect(await text('#status')).toBe(`noise.png shows: ${best}, ${(100 * share).toFixed(1)} %`);
      expect(await page.locator('#classes li').count()).toBe(5);
      expect(await page.getByRole('img').getAttribute('alt')).toBe('noise.png');
    });

    test('a compressed file is known by its bytes', async () => {
      const path = join(folder, 'renamed.bin');
      const network = new LeNet5({ generator: new Generator(0) });
      writeFileSync(path, await COMPACT.write({ tensors: network.stateDict(), metadata: {} }));
      const [facts, opened] = await known([path]);
      expect(await shown([path])).toEqual(facts);
      expect(facts.slice(1, 3)).toEqual(['compact', 'LeNet5()']);
      expect(await text('#notes')).toContain((opened as OpenedFiles).reason);
      expect(opened?.reason).toContain("for other images than CIFAR-10's, of three channels");
    });

    test('the keyboard reaches all of it, on a narrow page, in light and dark', async () => {
      const path = await ownCheckpoint();
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      expect(await focused.getAttribute('type')).toBe('file');
      await page.getByLabel('Drop a checkpoint and a picture').setInputFiles([path, picture()]);
      await settled();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('#rows tr').count()).toBeGreaterThan(50);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
      const colour = () => page.evaluate(() => getComputedStyle(document.body).color);
      const light = await colour();
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await colour()).not.toBe(light);
    });

    test('what it cannot open it says in one sentence, and goes on', async () => {
      const path = join(folder, 'x.ckpt');
      writeFileSync(path, 'no checkpoint at all');
      expect(await shown([path])).toEqual((await known([path]))[0]);
      expect(await page.getByRole('alert').textContent()).toMatch(/^x\.ckpt: [^\n]+$/);
      const two = [await ownCheckpoint(), path];
      expect(await shown(two)).toEqual((await known(two))[0]);
      await drop([await ownCheckpoint()]);
      expect(await page.locator('#error').textContent()).toBe('');
    });

    test('a list of names gives names to the classes of ImageNet', async () => {
      const weights = join(folder, 'squeezenet.safetensors');
      const network = new SqueezeNet({ version: '1.1', generator: new Generator(0) });
      const tensors = exportNames(network, 'torchvision');
      writeFileSync(weights, await encodeCheckpoint({ tensors, metadata: {} }));
      const list = join(folder, 'names.txt');
      const names = Array.from({ length: 1000 }, (_, i) => `the class of number ${i}`);
      writeFileSync(list, names.join('\n'));
      await drop([list, picture()]);
      expect(await text('#status')).toBe('Now open a checkpoint.');
      await drop([weights]);
      expect(await top()).toMatch(/the class of number \d+ \d+\.\d %$/);
    });

    const interop = sharedPath('interop');
    const images = sharedPath('images');

    describe.skipIf(interop === null || images === null)('(skipped without ../shared)', () => {
      const OF_INTEROP = /\.(pth|pt|safetensors|ckpt|npy|npz|net|onnx)$/;

      test('every file of other programs is to a page what it is to Node', async () => {
        const paths = readdirSync(interop as string).filter((name) => OF_INTEROP.test(name));
        const sets = paths.map((name) => [join(interop as string, name)]);
        const tfjs = ['tfjs-abalone-model.json', 'tfjs-abalone-weights.bin'];
        const tensorflow = sharedPath('squeezenet', 'squeezenet1.0_nhwc', 'weights') as string;
        const arrays = readdirSync(tensorflow).map((name) => join(tensorflow, name));
        for (const set of [...sets, tfjs.map((name) => join(interop as string, name)), arrays]) {
          expect(await shown(set)).toEqual((await known(set))[0]);
        }
      });

      test.each<[title: string, ...path: string[]]>([
        ['SqueezeNet 1.0 of Caffe', 'interop', 'compressed_SqueezeNet.net'],
        ['SqueezeNet 1.1 of MXNet', 'squeezenet', 'squeezenet1.1_nchw', 'weights'],
      ])('%s sees photographs as in Node', async (_, ...path) => {
        const found = sharedPath(...path) as string;
        const files =
          extname(found) === '' ? readdirSync(found).map((file) => join(found, file)) : [found];
        const [facts, opened] = await known(files);
        expect(await shown(files)).toEqual(facts);
        const list = sharedPath('squeezenet', 'imagenet_classes.txt') as string;
        const classes = readFileSync(list, 'utf8').trimEnd().split('\n');
        const rights = Object.values(PHOTOGRAPHS);
        // Whether all are told right is tried in Node; here, whether a page computes the same.
        for (const [i, photograph] of photographFiles(folder).slice(0, 2).entries()) {
          await drop([photograph]);
          const seen = await decodeImage(readFileSync(photograph));
          const ranked = opened?.classifier?.classify(seen) ?? [];
          expect(rights[i]).toContain(ranked[0].label);
          expect(await top()).toContain(` ${classes[ranked[0].label]} `);
        }
      });
    });
  },
);
