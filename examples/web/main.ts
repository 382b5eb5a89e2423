import { decodeImage, type Image } from '@firelight/data';
import { type HeldFile, type OpenedFiles, openFiles } from './open-files.ts';
import { byId, percent, say, sayError, showCheckpoint, showClasses, showPicture } from './view.ts';

/** The names of ImageNet's classes, where the page was built beside `../shared`; else null. */
declare const IMAGENET_CLASSES: readonly string[] | null;

const TOP = 5;

/** What was opened last. */
let opened: OpenedFiles | null = null;
let picture: { readonly image: Image; readonly name: string } | null = null;
let imageNetClasses = IMAGENET_CLASSES;

const isPicture = ({ type }: File): boolean => type.startsWith('image/');
const isText = ({ type }: File): boolean => type === 'text/plain';

const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

/** Time for the page to show what it says, as computation does not let it. */
const painted = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));

async function take(files: readonly File[]): Promise<void> {
  say(`Opening ${files.map(({ name }) => name).join(', ')}`);
  sayError(null);
  await painted();
  for (const file of files.filter(isText)) imageNetClasses = (await file.text()).trim().split('\n');
  const weights = files.filter((file) => !isPicture(file) && !isText(file));
  if (weights.length > 0) {
    const held = weights.map(async (file): Promise<HeldFile> => {
      return { name: file.name, bytes: await bytesOf(file) };
    });
    opened = await openFiles(await Promise.all(held));
    showCheckpoint(opened);
  }
  for (const file of files.filter(isPicture)) {
    const image = await decodeImage(await bytesOf(file), { source: file.name });
    picture = { image, name: file.name };
    showPicture(file);
  }
  await classify();
}

async function classify(): Promise<void> {
  const classifier = opened?.classifier ?? null;
  if (opened === null) return say('Now open a checkpoint.');
  if (classifier === null) {
    byId('classes').replaceChildren();
    return say(`${opened.file} is open; it classifies no pictures.`);
  }
  if (picture === null) return say(`${opened.file} is open; now open a picture.`);
  say(`Classifying ${picture.name}`);
  await painted();
  const names = classifier.classNames ?? imageNetClasses;
  const nameOf = (label: number): string => names?.[label] ?? `class ${label}`;
  const ranked = classifier.classify(picture.image).slice(0, TOP);
  showClasses(ranked, nameOf);
  say(`${picture.name} shows: ${nameOf(ranked[0].label)}, ${percent(ranked[0].share)}`);
}

/** What was dropped earlier is done with first. */
let queue = Promise.resolve();

function enqueue(files: readonly File[]): void {
  if (files.length === 0) return;
  queue = queue
    .then(() => take(files))
    .catch((error: unknown) => {
      say('');
      sayError(error);
    });
}

const input = byId<HTMLInputElement>('files');
input.addEventListener('change', () => {
  enqueue([...(input.files ?? [])]);
  input.value = ''; // So that the same file can be chosen again.
});

const { body } = document;
for (const event of ['dragenter', 'dragover']) {
  body.addEventListener(event, (drag) => {
    drag.preventDefault();
    body.classList.add('over');
  });
}
body.addEventListener('dragleave', ({ relatedTarget }) => {
  if (relatedTarget === null) body.classList.remove('over');
});
body.addEventListener('drop', (drop) => {
  drop.preventDefault();
  body.classList.remove('over');
  enqueue([...(drop.dataTransfer?.files ?? [])]);
});
