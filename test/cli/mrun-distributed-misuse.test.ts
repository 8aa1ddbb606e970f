import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeSecretFile } from 'maggma';
import { describe, expect } from 'vitest';
import { allOf, builtIn, freeUrl, toWrite, writeDeeds } from './deeds.js';
import { countingBuilder, test } from './mrun-process.js';

const SQLITE = {
  ...{ '@module': 'maggma_ts.stores', '@class': 'SQLiteStore', '@version': null },
  ...{ path: 'data.db', collection_name: 'source', key: 'k' },
};

describe('mrun keygen', () => {
  test('makes a secret that only its owner can read, once', async ({ project }) => {
    const first = await project.run('keygen', 's.key');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^s\.key holds a new secret, /);
    expect(first.stdout).toMatch(/^ {2}--secret-file s\.key +or the variable MAGGMA_SECRET_FILE$/m);
    const file = path.join(project.folder, 's.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8');
    expect(first.stdout).not.toContain(secret.trim());
    const second = await project.run('keygen', 's.key');
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(/^mrun: s\.key: the secret cannot be written: EEXIST.*\n$/);
    expect(readFileSync(file, 'utf8')).toBe(secret);
    expect(await project.run('keygen')).toMatchObject({
      code: 2,
      stderr: 'mrun: name the file of the new secret: mrun keygen FILE\n',
    });
  });
});

describe('a distributed mrun refuses, in one line,', { concurrent: true }, () => {
  const url = ['--url', 'tcp://127.0.0.1:7417'];
  test.for([
    ['-N alone', ['-N', '5', 'b.json'], /-N needs --url/],
    ['files without -N', [...url, 'b.json'], /needs -N, .* --no-url runs them here/],
    ['a manager without files', [...url, '-N', '5'], /the manager, which needs builder files/],
    ['a worker that waits to be a manager', [...url, '--retry-dead'], /--retry-dead is for a man/],
    ['workers of a manager', [...url, '-N', '5', '-n', '2', 'b.json'], /--num-workers is for a ru/],
    ['a fast end of workers', [...url, '--fail-fast'], /--fail-fast is for a run on this machine/],
    ['--keep-alive alone', ['--keep-alive', 'b.json'], /--keep-alive is for a worker \(--url with/],
    ['amqp', ['-u', 'amqp://u:planted-pw@h', '-N', '5', 'b.json'], /amqp:\/\/ is not offered, bec/],
    ['amqp for a worker', ['-u', 'amqp://u:planted-pw@h'], /amqp:\/\/ is not offered, because/],
    ['no port', ['-u', 'tcp://u:planted-pw@127.0.0.1', '-N', '2', 'map.json'], /with a port/],
    ['no port for a worker', ['-u', 'tcp://u:planted-pw@127.0.0.1'], /with a port/],
    ['another host without secret', ['-u', 'tcp://0.0.0.0:7417', '-N', '5', 'map.json'], /keygen/],
    ['a worker elsewhere without secret', ['-u', 'tcp://198.51.100.1:7417'], /mrun keygen FILE/],
    ['no prechunk', [...url, '-N', '5', 'b.json'], /CountingBuilder cannot be dis.*prechunk/],
    ['no such secret', [...url, '--secret-file', 'no.key'], /no\.key: the secret cannot be read/],
    ['a host that is none', ['-u', 'tcp://h.invalid:1', '--secret-file', 's.key'], /h\.invalid/],
    ['chunks', [...url, '-N', '0', 'b.json'], /-N, --num-chunks <n>.*from 1 to 1000000/],
    ['a lease', [...url, '--lease', '0'], /--lease <seconds>.*from 1 to 3600/],
  ] as const)('%s', async ([, args, message], { project }) => {
    project.write('b.json', countingBuilder());
    project.write('map.json', {
      ...{ '@module': 'maggma.builders.map_builder', '@class': 'CopyBuilder', '@version': null },
      source: SQLITE,
      target: { ...SQLITE, collection_name: 'copies' },
    });
    makeSecretFile(path.join(project.folder, 's.key'));
    const { code, stdout, stderr } = await project.run(...args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^mrun: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('planted-pw');
    for (const file of ['target.json', 'data.db']) expect(project.exists(file)).toBe(false);
  });

  test('a second manager on the port, and a worker with another secret', async ({ project }) => {
    await writeDeeds(project, [{}, {}]);
    const url = await freeUrl();
    for (const file of ['right.key', 'wrong.key']) makeSecretFile(path.join(project.folder, file));
    const shared = ['-u', url, '--secret-file', 'right.key'];
    const managing = ['-N', '2', 'b.json'];
    const manager = project.start('-vv', ...shared, ...managing);
    await manager.until('the plan', () => manager.stderr.includes(' items in 2 chunks, '));

    const second = await project.run(...shared, ...managing);
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(/^mrun: Cannot listen at tcp:\S+: .*\n$/);
    const stranger = await project.run('-vv', '-u', url, '--secret-file', 'wrong.key');
    expect(stranger).toMatchObject({ code: 2, stdout: '' });
    expect(stranger.stderr).toMatch(
      /^mrun: Whoever listens at tcp:\S+ is no manager with our sec/m,
    );

    // As a variable, the same for both.
    const worker = project.shell(`MAGGMA_SECRET_FILE=right.key $mrun -vv -u ${url}`);
    const ends = [await manager.finished, await worker.finished];
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(await builtIn(project)).toEqual(allOf(2));
    const said = [second, stranger, ...ends].map(({ stdout, stderr }) => stdout + stderr).join();
    for (const file of ['right.key', 'wrong.key'])
      expect(said).not.toContain(readFileSync(path.join(project.folder, file), 'utf8').trim());
  });
});

describe('two mruns on one target', () => {
  test('the second is refused until the first is dead, or it is told to steal', async ({
    project,
  }) => {
    await writeDeeds(project, [{ ms: 15_000, file: path.join(project.folder, 'begun') }]);
    const first = project.start('b.json');
    await toWrite(project, 'begun');
    const second = await project.run('b.json');
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/ is being built by DeedBuilder, process \d+ on \S+, for/);

    await writeDeeds(project, [{ ms: 1 }]);
    const stealing = await project.run('--steal', 'b.json');
    expect(stealing.code).toBe(0);
    expect(stealing.stderr).toMatch(/ - WARNING - .*: took over from DeedBuilder/m);
    first.kill('SIGKILL');
    await first.finished;
    expect(await builtIn(project)).toEqual(allOf(1));
  });

  test('the second goes on at once when the first was killed', async ({ project }) => {
    await writeDeeds(project, [{ ms: 15_000, file: path.join(project.folder, 'begun') }]);
    const first = project.start('b.json');
    await toWrite(project, 'begun');
    first.kill('SIGKILL');
    await first.finished;
    await writeDeeds(project, [{ ms: 1 }]);
    const second = await project.run('b.json');
    expect(second.code).toBe(0);
    expect(second.stderr).toMatch(/ - WARNING - .*: took over from DeedBuilder/m);
    expect(await builtIn(project)).toEqual(allOf(1));
  });
});
