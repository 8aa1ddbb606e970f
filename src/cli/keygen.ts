import { isMaggmaError } from '../errors/maggma-error.js';
import { makeSecretFile } from '../processor/distributed/secret-file.js';
import type { CommandOutput } from './command-output.js';
import { ExitCode } from './exit-code.js';
import { variableOf } from './option-table.js';
import { oneLine } from './printable.js';

/** Makes the secret that manager and workers share, and says what to do with it. Nothing is ever overwritten. */
export async function makeSecret(file: string, output: CommandOutput): Promise<ExitCode> {
  try {
    makeSecretFile(file);
  } catch (error) {
    if (!isMaggmaError(error)) throw error;
    output.fail(error);
    return ExitCode.Usage;
  }
  const name = oneLine(file);
  await output.write(`\
${name} holds a new secret, which only you can read.

Next: copy it, for its owner only (chmod 600), to each machine, and name it to the manager and to all workers:
  --secret-file ${name}   or the variable ${variableOf('secretFile')}
`);
  return ExitCode.Ok;
}
