<?php

// Runs the tests of this folder, or those whose promise contains a word: php tests/php/main.php [WORD]
//
// It prints a line for each, as TAP has them, and exits with 1 if one failed, or if there was none.

declare(strict_types=1);

namespace Palitra\Tests;

require __DIR__ . '/harness.php';

error_reporting(E_ALL);
set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    // What an @ silences is not thrown.
    return error_reporting() & $level ? throw new \ErrorException($message, 0, $level, $file, $line) : true;
});
pcntl_async_signals(true);
pcntl_signal(SIGALRM, fn() => throw new Failure('took longer than ' . LIMIT . ' seconds'));

$tests = [];
foreach (glob(__DIR__ . '/*.test.php') as $file) {
    require $file;
}
$tests = array_filter($tests, fn(string $promise) => str_contains($promise, $argv[1] ?? ''), ARRAY_FILTER_USE_KEY);
$passed = 0;
foreach ($tests as $promise => $body) {
    $start = hrtime(true);
    pcntl_alarm(LIMIT);
    try {
        $body();
        $passed++;
        printf("ok %s (%.2f s)\n", $promise, (hrtime(true) - $start) / 1e9);
    } catch (\Throwable $thrown) {
        echo "not ok $promise\n", preg_replace('/^/m', '    ', (string) $thrown), "\n";
    }
    pcntl_alarm(0);
}
echo "# pass $passed\n";
exit($passed === count($tests) && $passed > 0 ? 0 : 1);
