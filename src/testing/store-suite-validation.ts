import { deepStrictEqual, equal, rejects } from 'node:assert/strict';
import { ValidationError } from '../errors/store-errors.js';
import type { Doc } from '../query/document.js';
import type { StoreSuite } from './store-suite.js';

/** What a validator refuses. */
export function testValidation({ it, withStore }: StoreSuite): void {
  it('leaves out what a lenient validator refuses, and stores nothing for a strict one', async () => {
    const rules = {
      isValid: (doc: Doc) => typeof doc['v'] === 'number',
      validationErrors: () => ['v: not a number'],
    };
    await withStore(
      async (store) => {
        const result = await store.update([
          { k: 1, v: 1 },
          { k: 2, v: 'x' },
        ]);
        deepStrictEqual(result, {
          written: 1,
          refused: [{ key: 2, reason: 'refused by the validator', paths: ['v: not a number'] }],
        });
        await store.update({ k: 3 }, { validate: false });
        equal(await store.count({}), 2);
      },
      { validator: { ...rules, strict: false } },
    );
    await withStore(
      async (store) => {
        await rejects(
          store.update([
            { k: 1, v: 1 },
            { k: 2, v: 'x' },
          ]),
          ValidationError,
        );
        equal(await store.count({}), 0);
      },
      { validator: { ...rules, strict: true } },
    );
  });
}
