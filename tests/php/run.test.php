<?php

// Running jobs: replies, failures, limits, gathers and jobs that are waited for.

declare(strict_types=1);

namespace Palitra\Tests;

use Palitra\BadPayloadException;
use Palitra\BusyException;
use Palitra\CancelledException;
use Palitra\InvalidArgumentException;
use Palitra\InvalidHandleException;
use Palitra\JobException;
use Palitra\JobPanickedException;
use Palitra\Library;
use Palitra\PalitraException;
use Palitra\Runner;
use Palitra\ShutDownException;
use Palitra\TimeoutException;
use Palitra\TooLargeException;
use Palitra\UnknownJobException;

test('replies have the format of their job', function (): void {
    $runner = runnerFor(config: ['test.configured' => ['text' => 'grüße']]);
    same("any \0 bytes", $runner->run('palitra.echo', "any \0 bytes"));
    same('grüße', $runner->run('test.configured'));
    same(['seconds' => 0.01], $runner->run('palitra.sleep', ['seconds' => 0.01]));
    same(['seconds' => 0.01], $runner->run('palitra.sleep', (object) ['seconds' => 0.01]));
    same('', $runner->run('palitra.echo'));
});

test('a payload of another kind is refused before the job', function (): void {
    $runner = runnerFor();
    $error = throws(\TypeError::class, fn() => $runner->run('palitra.echo', ['a' => 1]));
    same('the payload of palitra.echo is a string, not array', $error->getMessage());
    throws(\JsonException::class, fn() => $runner->run('palitra.sleep', ['seconds' => NAN]));
    throws(\ValueError::class, fn() => $runner->run("palitra.echo\0"));
    throws(\ValueError::class, fn() => $runner->submit('palitra.echo', streamItems: -1));
    same(0, $runner->stats()['submitted']);
});

test('failures are classes with status and code', function (): void {
    $runner = runnerFor();
    $failure = throws(JobException::class, fn() => $runner->run('test.fail', ['code' => 404, 'message' => 'missing']));
    same([404, 'missing', 'PALITRA_JOB_FAILED'], [$failure->getCode(), $failure->getMessage(), $failure->status]);
    same(true, $failure instanceof PalitraException && $failure instanceof \RuntimeException);
    $failure = throws(BadPayloadException::class, fn() => $runner->run('palitra.sleep', []));
    same('PALITRA_BAD_PAYLOAD', $failure->status);
    same('boom', throws(JobPanickedException::class, fn() => $runner->run('test.panic', 'boom'))->getMessage());
    $unknown = [
        fn() => $runner->run('palitra.eko'),
        fn() => $runner->submit('palitra.eko'),
        fn() => $runner->stream('palitra.eko'),
        fn() => $runner->gather(['palitra.echo', 'palitra.eko']),
    ];
    foreach ($unknown as $call) {
        $message = throws(UnknownJobException::class, $call)->getMessage();
        matches('/"palitra\.eko".* nearest is "palitra\.echo"/', $message);
    }
});

test('a runner has the limits of its options', function (): void {
    $runner = runnerFor(maxInFlight: 1, maxPayload: 4, name: 'mine');
    $first = $runner->submit('test.never');
    throws(BusyException::class, fn() => $runner->run('palitra.echo'));
    $first->cancel();
    throws(CancelledException::class, fn() => $first->value());
    eventually(fn() => $runner->stats()['running'] === 0);
    throws(TooLargeException::class, fn() => $runner->run('palitra.echo', '12345'));
    $error = throws(\ValueError::class, fn() => new Runner(maxInFlight: -1));
    same('maxInFlight is a count, not -1', $error->getMessage());
    throws(\ValueError::class, fn() => new Runner(name: "a\0b"));
    throws(InvalidArgumentException::class, fn() => new Runner(workerThreads: 1_000_000));
    throws(InvalidArgumentException::class, fn() => new Runner(config: [1]));
});

test('a timeout cancels the job, also one that never yields', function (): void {
    $runner = runnerFor();
    throws(TimeoutException::class, fn() => $runner->run('test.never', timeout: 0.01));
    throws(TimeoutException::class, fn() => $runner->run('test.never', timeout: 0));
    throws(TimeoutException::class, fn() => $runner->run('test.spin', ['seconds' => 0.2], timeout: 0.01));
    throws(TimeoutException::class, fn() => $runner->gather(['test.never', 'test.never'], timeout: 0.01));
    throws(TimeoutException::class, fn() => $runner->submit('test.never', timeout: 0.01)->value());
    throws(\ValueError::class, fn() => $runner->run('palitra.echo', timeout: -1));
    throws(\ValueError::class, fn() => $runner->run('palitra.echo', timeout: NAN));
    throws(\ValueError::class, fn() => $runner->shutdown(-1));
    same('x', $runner->run('palitra.echo', 'x', timeout: INF));
});

test('a gather keeps the keys and says which failed', function (): void {
    $runner = runnerFor();
    $jobs = [
        'slow' => ['palitra.sleep', ['seconds' => 0.02]],
        'bad' => ['test.fail', ['code' => 1, 'message' => 'no']],
        'echo' => ['palitra.echo', 'c'],
    ];
    same(1, throws(JobException::class, fn() => $runner->gather($jobs))->getCode());
    $outcomes = $runner->gather($jobs, settled: true);
    same(['slow', 'bad', 'echo'], array_keys($outcomes));
    same([['seconds' => 0.02], 1, 'c'], [$outcomes['slow'], $outcomes['bad']->getCode(), $outcomes['echo']]);
    same([], $runner->gather([]));
    same(['', ''], $runner->gather(['palitra.echo', ['palitra.echo']]));
    $texts = array_map(strval(...), range(1, 10_000));
    same($texts, $runner->gather(array_map(fn(string $text) => ['palitra.echo', $text], $texts)));
});

test('a gather that is refused cancels what it had submitted', function (): void {
    $runner = runnerFor(maxInFlight: 2);
    throws(BusyException::class, fn() => $runner->gather(['test.never', 'test.never', 'test.never']));
    eventually(fn() => $runner->stats()['cancelled'] === 2);
});

test('a fail-fast gather cancels the rest at the first failure', function (): void {
    $runner = runnerFor();
    $jobs = ['test.never', ['test.fail', ['code' => 1, 'message' => 'no']], 'test.never'];
    same(1, throws(JobException::class, fn() => $runner->gather($jobs, failFast: true))->getCode());
    eventually(fn() => $runner->stats()['cancelled'] === 2);
});

test('a submitted job can be awaited, cancelled and asked for its progress', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.progress', ['steps' => [[1, 4], [3, 4]], 'finish' => true]);
    same(true, $job->wait());
    same(['', '', [3, 4]], [$job->value(), $job->value(), $job->progress()]);
    $never = $runner->submit('test.never');
    same([false, false, false], [$never->wait(0), $never->wait(0.01), $never->isFinished()]);
    same([0, 0], $never->progress());
    $never->cancel();
    $never->cancel();
    throws(CancelledException::class, fn() => $never->value());
    throws(CancelledException::class, fn() => $never->value());
});

test('a job that nobody refers to runs on', function (): void {
    $runner = runnerFor();
    $runner->submit('palitra.sleep', ['seconds' => 0.02]);
    eventually(fn() => $runner->stats()['succeeded'] === 1);
});

test('a job keeps its runner', function (): void {
    $job = runnerFor()->submit('palitra.sleep', ['seconds' => 0.05]);
    same(['seconds' => 0.05], $job->value());
});

test('a runner that was shut down refuses, and one that was closed is gone', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('palitra.sleep', ['seconds' => 0.05]);
    same([true, false], [$runner->shutdown(INF), $runner->isAlive()]);
    same(['seconds' => 0.05], $job->value());
    throws(ShutDownException::class, fn() => $runner->run('palitra.echo'));
    $runner->close();
    $runner->close();
    throws(InvalidHandleException::class, fn() => $runner->run('palitra.echo'));
    throws(InvalidHandleException::class, fn() => $runner->stats());
});

test('the global runner is made anew after its shutdown', function (): void {
    \Palitra\run('palitra.echo');
    same(true, Runner::global()->isAlive());
    same([true, false], [Runner::global()->shutdown(), Runner::global()->isAlive()]);
    same('again', \Palitra\run('palitra.echo', 'again'));
});

test('jobs have documentation', function (): void {
    $jobs = array_column(Library::shipped()->jobs(), null, 'name');
    same(['bytes', 'json'], [$jobs['palitra.echo']->input, $jobs['palitra.sleep']->output]);
    matches('/\w/', $jobs['palitra.echo']->doc);
});

test('what is no library is refused with a reason', function (): void {
    $missing = throws(\RuntimeException::class, fn() => Library::load('/nowhere/libpalitra.so'));
    matches('#^/nowhere/libpalitra.so .*Failed loading#', $missing->getMessage());
    $other = throws(\RuntimeException::class, fn() => Library::load('libc.so.6'));
    matches('/cannot be used as a library of palitra: .*palitra_/', $other->getMessage());
});

test('each declaration is in the header', function (): void {
    $declarations = function (string $file): array {
        // Without comments, macros, and the braces that C++ needs.
        $others = ['#/\*.*?\*/#s', '/^#ifdef __cplusplus.*?^#endif/ms', '/^#.*?(?<!\\\\)$/ms'];
        $text = preg_replace($others, '', file_get_contents($file));
        $text = str_replace('const void *data', 'const char *data', $text);
        preg_match_all('/(?:[^;{]|\{[^}]*\})+;/', preg_replace('/\s+/', ' ', $text), $found);
        return array_map(trim(...), $found[0]);
    };
    $ours = $declarations(PACKAGE . '/src/palitra.h');
    same(true, count($ours) > 30);
    same([], array_values(array_diff($ours, $declarations(dirname(__DIR__, 2) . '/include/palitra.h'))));
});

test('the first program of the README prints what stands below it', function (): void {
    $readme = file_get_contents(PACKAGE . '/README.md');
    preg_match('/^```php\n(.*?)^```/ms', $readme, $program);
    preg_match('/^```text\n(.*?)^```/ms', $readme, $printed);
    same([0, $printed[1], ''], program(str_replace('palitra/bindings/php', PACKAGE, $program[1])));
});
