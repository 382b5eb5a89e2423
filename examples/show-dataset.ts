import { parseArgs } from 'node:util';
import { Generator, ValueError } from '@firelight/tensor';
import { imageOf } from './support/cifar-input.ts';
import { drawGrid } from './support/draw-grid.ts';
import { loadCifar } from './support/load-cifar.ts';
import { parseTrainOptions } from './support/parse-train-options.ts';
import { run, warn } from './support/run.ts';
import { writeWhole } from './support/write-whole.ts';

const HELP = `Draws a batch of training images as the network sees them.

Usage: node --conditions=@firelight/source --import tsx examples/show-dataset.ts [flags]

  --count <n>          images (32)
  --out <file>         where the PNG goes (dataset.png)
  --help               print this text

and, as of npm run train: --data, --synthetic, --no-download, --image-size, --no-augment, --seed`;

const OWN = {
  count: { type: 'string' },
  out: { type: 'string' },
  help: { type: 'boolean' },
} as const;

async function main(): Promise<void> {
  const { values, tokens } = parseArgs({ options: OWN, strict: false, tokens: true });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const count = Number(values.count ?? 32);
  if (!Number.isInteger(count) || count < 1) {
    throw new ValueError(`--count must be a whole number ≥ 1, got '${values.count}'`);
  }
  const out = String(values.out ?? 'dataset.png');
  const options = parseTrainOptions(withoutOwn(process.argv.slice(2), tokens));
  const data = await loadCifar(
    { ...options, 'batch-size': count },
    new Generator(options.seed),
    warn,
  );
  for await (const { image, label } of data.train) {
    const cells = Array.from(label.data, (truth, i) => ({
      image: imageOf(image, i),
      title: data.classNames[truth],
    }));
    await writeWhole(out, await drawGrid(cells));
    console.log(`${cells.length} images of ${data.source} are in ${out}`);
    return;
  }
}

/** The arguments that are not of this program but of training. */
function withoutOwn(
  args: readonly string[],
  tokens: readonly {
    kind: string;
    index: number;
    name?: string;
    inlineValue?: boolean | undefined;
  }[],
): string[] {
  const own = new Set<number>();
  for (const { kind, index, name, inlineValue } of tokens) {
    if (kind !== 'option' || !Object.hasOwn(OWN, String(name))) continue;
    own.add(index);
    if (inlineValue === false) own.add(index + 1);
  }
  return args.filter((_, index) => !own.has(index));
}

await run(main);
