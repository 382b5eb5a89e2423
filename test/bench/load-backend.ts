// Compiles the module of the wasm backend, and no more.
import { describeBackend, setThreads } from '@firelight/tensor';

setThreads(1);
describeBackend();
