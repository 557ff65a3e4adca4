<?php

// See tests/proof/endings.py.

require __DIR__ . '/../../../bindings/php/autoload.php';

function useAndLeave(): array
{
    $jobs = [];
    for ($i = 0; $i < 8; $i++) {
        $jobs[] = Palitra\submit('palitra.sleep', ['seconds' => 100]);
    }
    if (Palitra\run('palitra.echo', 'hello') !== 'hello') {
        throw new Exception('no echo');
    }
    return $jobs;
}

$jobs = useAndLeave();
for ($i = 0; $argv[1] === 'forks' && $i < (int) $argv[2]; $i++) {
    $pid = pcntl_fork();
    if ($pid === 0) {
        $jobs = useAndLeave();
        exit(7);
    }
    pcntl_waitpid($pid, $status);
    if (!pcntl_wifexited($status) || pcntl_wexitstatus($status) !== 7) {
        throw new Exception("a child ended with $status");
    }
}
exit(7);
