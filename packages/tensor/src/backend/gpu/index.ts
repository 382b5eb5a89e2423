export { gpuBackend } from './gpu-backend.ts';
