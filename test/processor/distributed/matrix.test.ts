import { expect } from 'vitest';
import { freePort } from '../../free-port.js';
import { describeMatrix } from './matrix.js';
import { until } from './support.js';
import { urlOf } from './tcp/places.js';

describeMatrix({
  name: 'tcp',
  meet: async () => undefined,
  leaseMs: 15_000,
  rows: [
    {
      dies: 'nobody, but a second manager comes',
      promise: 'it is refused, wherever it listens; the first goes on',
      again: [0, 0],
      exits: /^manager 0, manager 1, manager 1, worker 0$/,
      async happens(scene) {
        const first = scene.manager();
        const isPlanned = (line: string) => line.includes(' chunks, for workers at ');
        await until('the plan is there', 60_000, () => first.logged.some(isPlanned));
        scene.died();
        const second = scene.manager();
        const elsewhere = scene.manager({ url: urlOf(await freePort()).href });
        expect(await second.end()).toMatchObject({ error: { code: 'DISTRIBUTED_ADDRESS' } });
        expect(await elsewhere.end()).toMatchObject({ error: { code: 'RUN_LOCKED' } });
        scene.wentOn();
        scene.worker({ slots: 2 });
        expect(await first.end()).toMatchObject({ reports: [{ status: 'succeeded' }] });
      },
    },
  ],
});
