<?php

// Streams: order, back-pressure, failures, and readers that leave.

declare(strict_types=1);

namespace Palitra\Tests;

use Palitra\CancelledException;
use Palitra\JobException;
use Palitra\Runner;

/** Jobs that did not succeed. One that sends as it is cancelled is counted as failed: its item was refused. */
function ended(Runner $runner): int
{
    return $runner->stats()['cancelled'] + $runner->stats()['failed'];
}

function numbers(int $count): array
{
    return array_map(strval(...), range(0, $count - 1));
}

test('every item arrives in order, however many there are', function (): void {
    $runner = runnerFor();
    same(numbers(5000), iterator_to_array($runner->stream('test.stream', ['items' => 5000])));
    same(numbers(40), iterator_to_array($runner->stream('test.stream', ['items' => 40], streamItems: 1)));
});

test('items that were sent before the reader came are there when the job has ended', function (): void {
    $job = runnerFor()->submit('test.stream', ['items' => 3]);
    $job->wait();
    same(numbers(3), iterator_to_array($job));
    same('', $job->value());
});

test('a failure is thrown after the items before it', function (): void {
    $items = [];
    $failure = throws(JobException::class, function () use (&$items): void {
        foreach (runnerFor()->stream('test.stream', ['items' => 3, 'fail_at' => 1]) as $item) {
            $items[] = $item;
        }
    });
    same([['0'], 7], [$items, $failure->getCode()]);
});

test('a job waits for a slow reader', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.stream', ['items' => 40]);
    $runner->run('palitra.sleep', ['seconds' => 0.05]);
    same(1, $runner->stats()['running']);
    same(numbers(40), iterator_to_array($job));
});

test('leaving the loop cancels the job', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.stream', ['items' => 1000]);
    foreach ($job as $item) {
        if ($item === '3') {
            break;
        }
    }
    throws(CancelledException::class, fn() => $job->value());
    eventually(fn() => ended($runner) === 1);
    throws(\LogicException::class, function () use ($runner): void {
        foreach ($runner->stream('test.stream', ['items' => 1000]) as $item) {
            throw new \LogicException('mine');
        }
    });
    eventually(fn() => ended($runner) === 2);
});

test('a stream that was forgotten, read or not, cancels its job', function (): void {
    $runner = runnerFor();
    $items = $runner->stream('test.stream', ['items' => 1000]);
    same('0', $items->current());
    $unread = $runner->stream('test.stream', ['items' => 1000]);
    unset($items, $unread);
    eventually(fn() => ended($runner) === 2);
});
