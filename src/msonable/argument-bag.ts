import type { ClassTransformOptions, TransformFnParams } from 'class-transformer';
import { Exclude, Expose, instanceToPlain, plainToInstance, Transform } from 'class-transformer';
import { setOwn } from '../util/set-own.js';
import type { AnyClass, Field } from './fields.js';
import { fieldsOf } from './fields.js';

/**
 * class-transformer, contained. For every serializable class there is a "bag": a class of ours with one
 * property per argument, which says under which name and for whom the argument is written. class-transformer
 * maps names by it and sees nothing else: left to itself it would build nested objects with `new X()`, call
 * properties that are functions, and stumble over data with a `constructor` key. So values travel sealed:
 * going out in a box (a function would be called), coming back as a function (a box would be copied).
 */
interface BagPlan {
  readonly fields: readonly Field[];
  readonly Bag: new () => Record<string, unknown>;
}

interface Box {
  readonly boxed: unknown;
}
type Sealed = () => unknown;

const SECRETS = 'secrets';
const plans = new WeakMap<AnyClass, BagPlan>();

function planOf(cls: AnyClass): BagPlan {
  const known = plans.get(cls);
  if (known) return known;
  const Bag = class {} as new () => Record<string, unknown>;
  const prototype = Bag.prototype as object;
  const fields = fieldsOf(cls);
  // On the class, not as an option of the call: that would hold for plain classes inside as well.
  Exclude()(Bag);
  for (const { name, property, secret } of fields) {
    Expose({ name, ...(secret && { groups: [SECRETS] }) })(prototype, property);
    Transform(({ value }: TransformFnParams) => seal(value), { toPlainOnly: true })(
      prototype,
      property,
    );
  }
  const plan = { fields, Bag };
  plans.set(cls, plan);
  return plan;
}

// Transforms run for every exposed name, also for those without a value.
function seal(box: Box | undefined): Sealed | undefined {
  return box && (() => box.boxed);
}

/** The arguments of a class, in the order in which they are written. */
export function argumentsOf(cls: AnyClass): readonly Field[] {
  return planOf(cls).fields;
}

/**
 * Arguments by property → by name.
 *
 * @param secrets - False leaves the secret ones out.
 */
export function toNames(
  cls: AnyClass,
  values: ReadonlyMap<string, unknown>,
  secrets: boolean,
): Map<string, unknown> {
  const { Bag } = planOf(cls);
  const bag = new Bag();
  for (const [property, value] of values) setOwn(bag, property, { boxed: value } satisfies Box);
  const options: ClassTransformOptions = {
    exposeUnsetFields: false,
    groups: secrets ? [SECRETS] : [],
  };
  return opened(instanceToPlain(bag, options) as Record<string, Sealed | undefined>);
}

/** Arguments by name → by property. */
export function toProperties(
  cls: AnyClass,
  values: ReadonlyMap<string, unknown>,
): Map<string, unknown> {
  const sealed = Object.fromEntries([...values].map(([name, value]) => [name, () => value]));
  const options: ClassTransformOptions = { exposeUnsetFields: false, groups: [SECRETS] };
  const bag = plainToInstance(planOf(cls).Bag, sealed, options);
  return opened(bag as Record<string, Sealed | undefined>);
}

function opened(sealed: Record<string, Sealed | undefined>): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(sealed)) if (value) values.set(key, value());
  return values;
}
