import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

/** Workers, the command and user modules are tested as users get them: compiled. */
export default function setup(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { stdio: 'inherit' });
}
