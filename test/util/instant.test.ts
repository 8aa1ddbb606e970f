import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toInstant, toIsoText } from '../../src/util/instant.js';

const utc = (...parts: [number, number, number, number?, number?, number?, number?]) =>
  Date.UTC(...parts);

test.each([
  ['2020-01-02T03:04:05Z', utc(2020, 0, 2, 3, 4, 5)],
  ['2020-01-02 03:04:05', utc(2020, 0, 2, 3, 4, 5)],
  ['2020-01-02T03:04:05.678901', utc(2020, 0, 2, 3, 4, 5, 678)],
  ['2020-01-02 03:04:05.6+05:30', utc(2020, 0, 1, 21, 34, 5, 600)],
  ['2020-01-02T03:04:05-0500', utc(2020, 0, 2, 8, 4, 5)],
  ['2020-01-02T03:04:05+01', utc(2020, 0, 2, 2, 4, 5)],
  ['2020-1-2 3:4:5', utc(2020, 0, 2, 3, 4, 5)],
  ['2020-01-02', utc(2020, 0, 2)],
  ['2020-01-02T03:04', utc(2020, 0, 2, 3, 4)],
  ['0001-01-01 00:00:00', -62135596800000],
])('reads %s as an instant', (text, instant) => {
  expect(toInstant(text)).toBe(instant);
});

test.each([
  'soon',
  '',
  '2020-13-01',
  '2020-02-30',
  '2020-01-02T25:00:00',
  '2020-01-02T03:61:00',
  'T03:04:05',
  5,
  null,
  undefined,
  {},
  new Date(Number.NaN),
])('does not take %o for a time stamp', (value) => {
  expect(toInstant(value)).toBe(null);
});

test('reads back what it wrote, and what toISOString wrote', () => {
  const years = { min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true };
  fc.assert(
    fc.property(fc.date(years), (date) => {
      expect(toInstant(toIsoText(date))).toBe(date.getTime());
      expect(toInstant(date.toISOString())).toBe(date.getTime());
      expect(toInstant(date)).toBe(date.getTime());
    }),
  );
});
