<?php

// What the tests share: a way to write one, the library with the test jobs, and programs of their own.

declare(strict_types=1);

namespace Palitra\Tests;

use Palitra\Library;
use Palitra\Runner;

const LIMIT = 120;

/** The package: as it stands in the tree, or as it is installed. */
define('PACKAGE', getenv('PALITRA_PHP') ?: dirname(__DIR__, 2) . '/bindings/php');
require PACKAGE . '/autoload.php';

final class Failure extends \Exception
{
}

/** Adds a test. It fails if it throws or lasts too long. */
function test(string $promise, callable $body): void
{
    $GLOBALS['tests'][$promise] = $body;
}

function same(mixed $expected, mixed $actual, string $what = ''): void
{
    if ($expected !== $actual) {
        throw new Failure("$what\n  expected " . var_export($expected, true) . "\n  got " . var_export($actual, true));
    }
}

function matches(string $pattern, string $text): void
{
    if (!preg_match($pattern, $text)) {
        throw new Failure("$pattern does not match $text");
    }
}

/**
 * @template T of \Throwable
 * @param class-string<T> $class
 * @return T
 */
function throws(string $class, callable $call): \Throwable
{
    try {
        $call();
    } catch (\Throwable $thrown) {
        return $thrown instanceof $class ? $thrown : throw $thrown;
    }
    throw new Failure("did not throw $class");
}

/** Asks until it is so; the limit of the test bounds it. */
function eventually(callable $condition): void
{
    while (!$condition()) {
        usleep(5000);
    }
}

function testJobs(): Library
{
    return Library::load(getenv('PALITRA_LIBRARY_DIR') . '/libpalitra_test_jobs.so');
}

function runnerFor(mixed ...$options): Runner
{
    return new Runner(...$options, library: testJobs());
}

/** A free port of this machine. */
function port(): int
{
    $server = stream_socket_server('tcp://127.0.0.1:0');
    return (int) substr(strrchr(stream_socket_get_name($server, false), ':'), 1);
}

function accepts(int $port): bool
{
    return (bool) @stream_socket_client("tcp://127.0.0.1:$port");
}

/** A folder that is removed at the end of the test. */
function folder(callable $body): void
{
    $folder = sys_get_temp_dir() . '/palitra-php-' . bin2hex(random_bytes(8));
    mkdir($folder);
    try {
        $body($folder);
    } finally {
        exec('rm -rf ' . escapeshellarg($folder));
    }
}

function failIfEnded(mixed $server, string $log): bool
{
    return proc_get_status($server)['running'] ? false : throw new Failure(file_get_contents($log));
}

/** Runs a server until the body has returned. */
function serving(array $command, string $log, callable $isReady, callable $body, array $env = []): void
{
    $output = ['file', $log, 'a'];
    // In a session of its own: a signal reaches its workers, too, which PHP's own server leaves behind.
    array_unshift($command, 'setsid');
    $server = proc_open($command, [['file', '/dev/null', 'r'], $output, $output], $pipes, null, $env + getenv());
    try {
        eventually(fn() => $isReady() || failIfEnded($server, $log));
        $body();
    } finally {
        posix_kill(-proc_get_status($server)['pid'], SIGTERM);
        proc_close($server);
    }
}

/**
 * Runs a program that has loaded the package.
 *
 * @param ?callable(int, string): void $onOutput is given its process and the first line that it has written
 * @return array{int, string, string} its exit code or the negative number of a signal, and what it wrote
 */
function program(string $text, ?callable $onOutput = null): array
{
    $file = tempnam(sys_get_temp_dir(), 'program');
    $header = "<?php\nini_set('display_errors', 'stderr');\nrequire '" . PACKAGE . "/autoload.php';\n";
    file_put_contents($file, str_starts_with($text, '<?php') ? $text : $header . $text);
    $command = [PHP_BINARY, '-d', 'auto_prepend_file=' . __DIR__ . '/bounded.php', $file];
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
    try {
        $first = '';
        if ($onOutput !== null) {
            $first = fgets($pipes[1]);
            $onOutput(proc_get_status($process)['pid'], $first);
        }
        $written = [$first . stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
        do {
            $status = proc_get_status($process);
            usleep(1000);
        } while ($status['running']);
        return [$status['signaled'] ? -$status['termsig'] : $status['exitcode'], ...$written];
    } finally {
        proc_terminate($process, SIGKILL);
        proc_close($process);
        unlink($file);
    }
}
