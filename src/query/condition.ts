import type { DocTest, ValueTest } from './path.js';
import { someAtPath } from './path.js';

/**
 * What the operators under one path ask for, before it is known whether they are put to the values
 * at a path of a document or to a single array element (`$elemMatch`).
 */
export type Condition =
  | TestCondition
  | { readonly type: 'all'; readonly conditions: readonly Condition[] }
  | { readonly type: 'notAll'; readonly conditions: readonly Condition[] };

/** One question. */
export interface TestCondition {
  readonly type: 'test';
  readonly test: ValueTest;
  /** Whether an array at the end of the path is tried by element, and then as a whole. */
  readonly unrolls: boolean;
  /** Which single element of an array satisfies the condition, where one does. */
  readonly element?: ValueTest;
}

/** A condition that arrays satisfy by an element, or as a whole. */
export function testEach(test: ValueTest): Condition {
  return { type: 'test', test, unrolls: true, element: test };
}

/** A condition on the value as it is: an array is not tried by element. */
export function testWhole(test: ValueTest): Condition {
  return { type: 'test', test, unrolls: false };
}

/** A condition on arrays that one element must satisfy. */
export function testElement(element: ValueTest): Condition {
  const test: ValueTest = (value) => Array.isArray(value) && value.some(element);
  return { type: 'test', test, unrolls: false, element };
}

/** A condition that holds when not all of the others do. */
export function notAll(...conditions: readonly Condition[]): Condition {
  return { type: 'notAll', conditions };
}

/** Puts a condition to the values at a path. */
export function onPath(path: string, condition: Condition): DocTest {
  if (condition.type === 'test') return someAtPath(path, condition.test, condition.unrolls);
  const all = every(condition.conditions.map((part) => onPath(path, part)));
  return condition.type === 'all' ? all : (doc) => !all(doc);
}

/** Puts a condition to one value. */
export function onValue(condition: Condition): ValueTest {
  if (condition.type === 'test') return condition.test;
  const all = every(condition.conditions.map(onValue));
  return condition.type === 'all' ? all : (value) => !all(value);
}

/** One question in place of several that must all hold; true when there are none. */
export function every<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  const [first, second, ...rest] = tests;
  if (!first) return () => true;
  if (!second) return first;
  if (rest.length === 0) return (value) => first(value) && second(value);
  return (value) => {
    for (const test of tests) if (!test(value)) return false;
    return true;
  };
}
