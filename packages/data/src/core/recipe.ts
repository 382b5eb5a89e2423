import { ValueError } from '@firelight/tensor';

/**
 * How a worker thread makes an equal object: it calls the constructor called `name` with `args`.
 * Transforms and data sets of this package have one; give your own class a method `recipe` with the
 * `module` that exports it, such as `import.meta.url`.
 */
export interface Recipe {
  readonly name: string;
  /** Address of the module that exports the class; none for those of this package. */
  readonly module?: string;
  /** Arguments that can be cloned between threads; recipes in them, or in lists, are made first. */
  readonly args: readonly unknown[];
}

/**
 * The recipe of a transform or data set.
 *
 * @throws ValueError if it has none, as a function
 */
export function recipeOf(value: object): Recipe {
  if ('recipe' in value && typeof value.recipe === 'function') return value.recipe();
  const name =
    typeof value === 'function' ? `function ${value.name}`.trim() : value.constructor.name;
  throw new ValueError(
    `batches: worker threads cannot make '${name}', since it has no recipe; make it a class with ` +
      'a method recipe() that names its module, or take workers: 0',
  );
}
