// A thread of a process for chunks: ends the process when its parent is gone, also while the main thread is in an
// endless loop and cannot hear of it.
const WATCH_MS = 500;

const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, WATCH_MS);
