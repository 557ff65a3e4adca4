<?php

// The process: its end, signals, forks, and what it holds after a hundred thousand jobs.

declare(strict_types=1);

namespace Palitra\Tests;

use Palitra\CancelledException;
use Palitra\ForkedException;
use Palitra\Runner;

const NEVER = "\$never = Palitra\\submit('palitra.sleep', ['seconds' => 3600]);\n";

/** What a forked child returns, as text. It leaves without an exit, which would end the programs of its parent. */
function inChild(callable $body): string
{
    [$reading, $writing] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    $child = pcntl_fork();
    if ($child === 0) {
        pcntl_alarm(20);
        try {
            fwrite($writing, $body());
        } catch (\Throwable $thrown) {
            fwrite($writing, (string) $thrown);
        }
        fclose($writing);
        posix_kill(posix_getpid(), SIGKILL);
    }
    fclose($writing);
    $text = stream_get_contents($reading);
    pcntl_waitpid($child, $status);
    return $text;
}

test('a process may end with jobs in flight', function (): void {
    same([0, '', ''], program(NEVER));
    same([3, '', ''], program(NEVER . "Palitra\\stream('palitra.echo'); exit(3);"));
    $runner = "\$runner = new Palitra\\Runner();\n\$job = \$runner->submit('palitra.sleep', ['seconds' => 60]);\n";
    same([4, '', ''], program($runner . 'exit(4);'));
    $last = "register_shutdown_function(function () { echo Palitra\\run('palitra.echo', 'last'); });\n";
    same([0, 'last', ''], program(NEVER . $last));
    [$code, , $errors] = program(NEVER . "throw new LogicException('mine');");
    same(255, $code);
    matches('/LogicException: mine/', $errors);
    [$code, , $errors] = program("Palitra\\run('palitra.sleep', []);");
    same(255, $code);
    matches('/Palitra\\\\BadPayloadException/', $errors);
});

test('Ctrl-C ends a wait', function (): void {
    $waits = [
        '$never->value();',
        'foreach ($never as $item) {}',
        "Palitra\\run('palitra.sleep', ['seconds' => 3600]);",
        "Palitra\\gather([['palitra.sleep', ['seconds' => 3600]]]);",
        'Palitra\\Runner::global()->shutdown(3600);',
        "\$runner = new Palitra\\Runner(); \$job = \$runner->submit('palitra.sleep', ['seconds' => 60]); "
            . '$runner->shutdown(INF);',
    ];
    $handler = "pcntl_async_signals(true);\n"
        . "pcntl_signal(SIGINT, function () { echo Palitra\\run('palitra.echo', 'handled'); exit(5); });\n";
    $interrupt = function (int $process): void {
        usleep(50_000);
        posix_kill($process, SIGINT);
    };
    foreach ($waits as $wait) {
        same([-SIGINT, "waits\n", ''], program(NEVER . "echo \"waits\\n\";\n$wait", $interrupt));
        same([5, "waits\nhandled", ''], program($handler . NEVER . "echo \"waits\\n\";\n$wait", $interrupt));
    }
});

/** Has SIGALRM handled in this way while the body runs. */
function onAlarm(callable $handler, callable $body): void
{
    $limit = pcntl_signal_get_handler(SIGALRM);
    pcntl_signal(SIGALRM, $handler);
    try {
        $body();
    } finally {
        pcntl_signal(SIGALRM, $limit);
        pcntl_alarm(LIMIT);
    }
}

test('a handler that throws cancels a run and leaves a submitted job', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.never');
    onAlarm(fn() => throw new \LogicException('rings'), function () use ($runner, $job): void {
        $run = fn() => $runner->run('test.never');
        foreach ([$run, fn() => $runner->gather(['test.never']), fn() => $job->value()] as $wait) {
            pcntl_alarm(1);
            throws(\LogicException::class, $wait);
        }
    });
    eventually(fn() => $runner->stats()['cancelled'] === 2);
    same(false, $job->isFinished());
});

test('a handler runs during a shutdown, whose grace period only one that throws ends', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.never');
    $last = null;
    $cancel = function () use ($runner, $job, &$last): void {
        $last = $runner->submit('palitra.sleep', ['seconds' => 0.3]);
        $job->cancel();
    };
    onAlarm($cancel, function () use ($runner): void {
        pcntl_alarm(1);
        same(true, $runner->shutdown(3600));
    });
    same(['seconds' => 0.3], $last->value());
    $runner = runnerFor();
    $job = $runner->submit('test.never');
    onAlarm(fn() => throw new \LogicException('rings'), function () use ($runner): void {
        pcntl_alarm(1);
        throws(\LogicException::class, fn() => $runner->shutdown(3600));
    });
    same(false, $runner->isAlive());
    throws(CancelledException::class, fn() => $job->value());
});

test('a forked child has a global runner of its own and nothing of its parent', function (): void {
    $runner = runnerFor();
    $job = $runner->submit('test.never');
    same('parent', \Palitra\run('palitra.echo', 'parent'));
    same('child 9', inChild(function () use ($runner, $job): string {
        $calls = [
            fn() => $runner->run('palitra.echo'),
            fn() => $runner->submit('palitra.echo'),
            fn() => $runner->gather(['palitra.echo']),
            fn() => $runner->stats(),
            fn() => $runner->shutdown(),
            fn() => $job->value(),
            fn() => $job->cancel(),
            fn() => $job->progress(),
            fn() => iterator_to_array($job),
        ];
        $refused = array_map(fn(callable $call) => throws(ForkedException::class, $call), $calls);
        $runner->close();
        return \Palitra\gather([['palitra.echo', 'child']])[0] . ' ' . count($refused);
    }));
    same(false, $job->isFinished());
    same('parent', $runner->run('test.nested', 'parent'));
});

test('children of children run jobs', function (): void {
    same('grandchild', inChild(fn() => inChild(fn() => \Palitra\run('palitra.echo', 'grandchild'))));
});

test('a hundred thousand jobs leave nothing behind', function (): void {
    [$code, $output, $errors] = program(<<<'PHP'
        use function Palitra\{gather, run, submit};

        $memory = fn(): float => (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096 / 1e6;
        $descriptors = fn(): int => count(scandir('/proc/self/fd'));
        $jobs = Palitra\load(getenv('PALITRA_LIBRARY_DIR') . '/libpalitra_test_jobs.so');
        $pending = new Palitra\Runner(library: $jobs);
        $work = function (int $rounds) use ($pending): void {
            $text = str_repeat('x', 1000);
            for ($i = 0; $i < $rounds; $i++) {
                run('palitra.echo', $text);
                if ($i % 10 === 0) {
                    $pending->run('test.nested', str_repeat($text, 10));
                    $pending->submit('test.nested', str_repeat($text, 10))->value();
                    submit('palitra.echo', $text);
                    try {
                        run('palitra.sleep', []);
                    } catch (Palitra\PalitraException) {
                    }
                }
            }
            gather(array_fill(0, 100, ['palitra.echo', $text]));
        };
        $work(20_000);
        [$before, $opened] = [$memory(), $descriptors()];
        $work(100_000);
        [$grown, $left] = [$memory() - $before, $descriptors() - $opened];
        echo $grown < 10 && $left === 0 ? 'flat' : "$grown MB, $left descriptors";
        PHP);
    same([0, 'flat', ''], [$code, $output, $errors]);
});
