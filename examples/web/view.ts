import { FirelightError } from '@firelight/tensor';
import { formatShape, printable } from '@firelight/tensor/extend';
import type { RankedClass } from '../support/ranked-classes.ts';
import type { OpenedFiles } from './open-files.ts';

/** The element of the page with an id. */
export function byId<Kind extends HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind; // As index.html has it.
}

/** A new element with a text; what comes from files may hold anything, and is only ever text here. */
function element(tag: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = printable(text);
  return made;
}

/** Says what is being done, or was found; read out by screen readers. */
export function say(text: string): void {
  byId('status').textContent = printable(text);
}

/** Says what went wrong in a sentence; nothing for null. */
export function sayError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  byId('error').textContent = error === null ? '' : printable(message);
}

/** Shows what a checkpoint is; its tensors are decoded when they are first looked at. */
export function showCheckpoint(opened: OpenedFiles): void {
  const { file, format, network, origin, tensors, notes, reason } = opened;
  const count = String(Object.keys(tensors).length);
  const facts = { file, format, network, 'names of': origin, tensors: count };
  byId('facts').replaceChildren(
    ...Object.entries(facts).flatMap(([name, text]) => [element('dt', name), element('dd', text)]),
  );
  const remarks = reason === '' ? notes : [...notes, `pictures cannot be classified: ${reason}`];
  byId('notes').replaceChildren(...remarks.map((note) => element('li', note)));
  const details = byId<HTMLDetailsElement>('tensors');
  details.open = false;
  byId('rows').replaceChildren();
  details.ontoggle = () => {
    if (details.open && byId('rows').childElementCount === 0) showTensors(opened);
  };
  byId('checkpoint').hidden = false;
}

function showTensors({ tensors }: OpenedFiles): void {
  const rows = Object.keys(tensors).map((name) => {
    const row = document.createElement('tr');
    row.append(...[name, ...describeTensor(tensors, name)].map((text) => element('td', text)));
    return row;
  });
  byId('rows').replaceChildren(...rows);
}

/** The dtype and shape of a tensor, or why it cannot be decoded. */
function describeTensor(tensors: OpenedFiles['tensors'], name: string): string[] {
  try {
    const { dtype, shape } = tensors[name];
    return [dtype, formatShape(shape)];
  } catch (error) {
    if (!(error instanceof FirelightError)) throw error;
    return ['', error.message];
  }
}

/** Shows a picture, without any classes yet. */
export function showPicture(file: File): void {
  const preview = byId<HTMLImageElement>('preview');
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(file);
  preview.alt = file.name;
  byId('classes').replaceChildren();
  byId('picture').hidden = false;
}

/** Lists classes with their probabilities. */
export function showClasses(
  ranked: readonly RankedClass[],
  nameOf: (label: number) => string,
): void {
  const items = ranked.map(({ label, share }) => {
    const meter = document.createElement('meter');
    meter.value = share;
    meter.ariaHidden = 'true'; // The percentage says the same.
    const item = document.createElement('li');
    item.append(meter, ' ', element('span', `${nameOf(label)} ${percent(share)}`));
    return item;
  });
  byId('classes').replaceChildren(...items);
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
