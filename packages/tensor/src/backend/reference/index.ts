export { referenceBackend, referenceKernels } from './reference-backend.ts';
