import type { Store } from 'maggma';
import { expect, test } from 'vitest';
import type { Claim, ClaimBoard } from '../../src/store/claim-board.js';

const claim = (id: string): Claim => ({
  id,
  owner: 'SomeBuilder',
  host: 'here',
  pid: 1,
  pidScope: 'there',
  since: '2020-01-01T00:00:00.000Z',
  renewed: '2020-01-01T00:00:00.000Z',
});

/** Holds the place where a store notes who writes into it to its contract. */
export function testClaims(name: string, open: () => Promise<[Store, Store]>): void {
  test(`${name}: a claim is seen by all who share the collection, and changed by who names it`, async () => {
    const stores = await open();
    const [one, other] = stores.map((store) => store.claimBoard()) as [ClaimBoard, ClaimBoard];
    try {
      expect(await other.read()).toBeNull();
      expect(await one.swap('a', claim('b'))).toBe(false);
      expect(await one.swap(null, claim('a'))).toBe(true);
      expect(await other.read()).toEqual(claim('a'));
      expect(await other.swap(null, claim('b'))).toBe(false);
      expect(await other.swap('b', claim('c'))).toBe(false);
      expect(await other.swap('b', null)).toBe(false);
      expect(await one.swap('a', { ...claim('a'), renewed: 'later' })).toBe(true);
      expect(await other.swap('a', claim('b'))).toBe(true);
      expect(await one.read()).toEqual(claim('b'));
      expect(await other.swap('b', null)).toBe(true);
      expect(await one.read()).toBeNull();
      const names = Array.from({ length: 8 }, (_, i) => `${i}`);
      const won = await Promise.all(names.map((id) => one.swap(null, claim(id))));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await one.read())?.id).toBe(String(won.indexOf(true)));
      await one.swap(String(won.indexOf(true)), null);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  });
}
