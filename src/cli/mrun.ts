#!/usr/bin/env node
import { main } from './main.js';

const streams = [process.stdout, process.stderr];
// Whoever read our output may have gone (`mrun -v b.json 2>&1 | head -1`); the builds go on.
for (const stream of streams) stream.on('error', () => {});

const code = await main(process.argv.slice(2), (code) => process.exit(code));
// On some systems pipes are written in the background.
await Promise.all(
  streams.map((stream) => new Promise<void>((done) => stream.write('', () => done()))),
);
// Not `exitCode`: a builder may have left something open that keeps the process alive.
process.exit(code);
