import { execFileSync } from 'node:child_process';

/** Workers, the command and user modules are tested as users get them: compiled. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'compile'], { stdio: 'inherit' });
}
