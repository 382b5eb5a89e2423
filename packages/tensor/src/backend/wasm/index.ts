export { setThreads, wasmBackend, whyNotWasm } from './wasm-backend.ts';
