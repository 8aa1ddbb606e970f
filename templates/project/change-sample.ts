// Changes a sample, and its time stamp with it: that is how a builder knows.
import { JSONStore } from 'maggma';

const samples = new JSONStore('samples.json', { key: 'name', readOnly: false });
await samples.connect();
await samples.update({ name: 'water', mass: 3, volume: 2, last_updated: new Date() });
await samples.close();
