// A bare worker thread that does its half of the items of the spin workloads at once.
import { parentPort, workerData } from 'node:worker_threads';
import task from './spin-task.mjs';

const { items, microseconds } = workerData;
let sum = 0;
for (let k = 0; k < items; k++) sum += task({ k, microseconds }).value;
parentPort.postMessage(sum);
