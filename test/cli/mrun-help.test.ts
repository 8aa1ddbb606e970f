import { describe, expect } from 'vitest';
import { countingBuilder, test } from './mrun-process.js';

describe('mrun', { concurrent: true }, () => {
  test('without arguments prints a short help, and exits with 2', async ({ project }) => {
    const { code, stdout, stderr } = await project.run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: mrun \[options\] <builders\.\.\.>\n/);
    expect(stderr).toContain('mrun --help');
    expect(stderr.split('\n').length).toBeLessThan(9);
  });

  test.for([
    ['statsu', 'there is no such file or command (did you mean "mrun status"?)'],
    ['sohw', 'there is no such file or command (did you mean "mrun show"?)'],
    ['bananas', 'there is no such file or command'],
    ['biulder.json', 'there is no such file (did you mean builder.json?)'],
    ['builder.yaml', 'there is no such file (did you mean builder.json?)'],
    ['./statsu', 'there is no such file'],
    ['gone/builder.json', 'there is no such file'],
  ] as const)('suggests what %s may have been', async ([word, says], { project }) => {
    project.write('builder.json', countingBuilder());
    project.write('statsx.txt', '');
    const ran = await project.run(word);
    expect(ran).toEqual({ code: 2, stdout: '', stderr: `mrun: ${word}: ${says}\n` });
  });

  test('wants --plan for --json', async ({ project }) => {
    project.write('b.json', countingBuilder());
    const refused = await project.run('--json', 'b.json');
    expect(refused).toEqual({ code: 2, stdout: '', stderr: 'mrun: --json is for --plan\n' });
    const variable = await project.shell('MAGGMA_JSON=1 $mrun b.json').finished;
    expect(variable).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.for(['status', 'failures', 'show', 'validate'])(
    '%s asks for its files',
    async (name, { project }) => {
      const { code, stdout, stderr } = await project.run(name);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^mrun: [^\\n]*mrun ${name} FILE[^\\n]*\\n$`));
    },
  );
});
