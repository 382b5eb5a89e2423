import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const CLASSES = fileURLToPath(
  new URL('../../../shared/squeezenet/imagenet_classes.txt', import.meta.url),
);
const classes = existsSync(CLASSES) ? readFileSync(CLASSES, 'utf8').trimEnd().split('\n') : null;

/** With them a page may share memory between threads. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  root: import.meta.dirname,
  base: './', // What is built works in any folder.
  resolve: { conditions: ['@firelight/source', 'module', 'browser'] },
  define: { IMAGENET_CLASSES: JSON.stringify(classes) },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
  build: { outDir: '../../build/web', emptyOutDir: true, target: 'es2022' },
});
