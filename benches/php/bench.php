<?php

// palitra from PHP beside PHP's own ways, in turns: `make bench-php`.
//
// A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the same
// round, so above 1 palitra is faster. PHP has no threads: beside a job stands the cheapest call that leaves it.

declare(strict_types=1);

namespace Palitra\Benches;

use Palitra\Library;

use function Palitra\gather;
use function Palitra\run;

require getenv('PALITRA_PHP') . '/autoload.php';

const ROUNDS = 15;

/** A server in a process of its own: PHP's. Its address, once it answers. */
function serve(): string
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $port = (int) substr(strrchr(stream_socket_get_name($socket, false), ':'), 1);
    fclose($socket);
    $folder = sys_get_temp_dir() . '/palitra-bench-' . getmypid();
    mkdir($folder);
    file_put_contents("$folder/nginx.conf", <<<NGINX
        daemon off;
        pid $folder/pid;
        error_log stderr crit;
        events {}
        http {
            access_log off;
            keepalive_requests 1000000;
            client_body_temp_path $folder/body;
            fastcgi_temp_path $folder/fastcgi;
            proxy_temp_path $folder/proxy;
            scgi_temp_path $folder/scgi;
            uwsgi_temp_path $folder/uwsgi;
            server { listen 127.0.0.1:$port; location / { return 200 "hello"; } }
        }
        NGINX);
    $server = proc_open(['nginx', '-c', "$folder/nginx.conf", '-e', 'stderr'], [], $pipes);
    register_shutdown_function(function () use ($server, $folder): void {
        proc_terminate($server);
        proc_close($server);
        exec('rm -rf ' . escapeshellarg($folder));
    });
    while (!@stream_socket_client("tcp://127.0.0.1:$port")) {
        usleep(10_000);
    }
    return "http://127.0.0.1:$port/";
}

function timed(int $count, callable $work): float
{
    $start = hrtime(true);
    $work();
    return (hrtime(true) - $start) / 1e3 / $count;
}

function median(array $values): float
{
    sort($values);
    return $values[intdiv(count($values), 2)];
}

function times(int $count, callable $work): callable
{
    return function () use ($count, $work): void {
        for ($i = 0; $i < $count; $i++) {
            $work();
        }
    };
}

$url = serve();
$ffi = Library::shipped()->ffi;
$version = fn() => $ffi->palitra_abi_version();
$curl = curl_init($url);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
$multi = curl_multi_init();
$handles = array_map(fn() => curl_copy_handle($curl), range(1, 64));
$together = function () use ($multi, $handles): void {
    foreach ($handles as $handle) {
        curl_multi_add_handle($multi, $handle);
    }
    do {
        curl_multi_exec($multi, $running);
        curl_multi_select($multi);
    } while ($running > 0);
    foreach ($handles as $handle) {
        curl_multi_getcontent($handle);
        curl_multi_remove_handle($multi, $handle);
    }
};
$jobs = array_fill(0, 100, ['palitra.echo', 'x']);
$fetches = array_fill(0, 64, ['http.bytes', ['url' => $url]]);

$rows = [
    ['a ready job', 5000, times(5000, fn() => run('palitra.echo', 'x')), 'a plain call', times(5000, $version)],
    ['a gather of 100', 20, times(20, fn() => gather($jobs)), '100 plain calls', times(2000, $version)],
    ['http.bytes, 1 in flight', 200, times(200, fn() => run('http.bytes', ['url' => $url])),
        'curl, kept alive', times(200, fn() => curl_exec($curl))],
    ['http.bytes, a gather of 64', 10, times(10, fn() => gather($fetches)), 'curl_multi of 64', times(10, $together)],
];

echo "| palitra | us | rival | us | ratio |\n|---|---|---|---|---|\n";
foreach ($rows as [$name, $count, $own, $rival, $theirs]) {
    $own();
    $theirs();
    $rounds = [];
    for ($round = 0; $round < ROUNDS; $round++) {
        $pair = array_map(fn(callable $work) => timed($count, $work), $round % 2 ? [$theirs, $own] : [$own, $theirs]);
        $rounds[] = $round % 2 ? array_reverse($pair) : $pair;
    }
    [$mine, $other] = [median(array_column($rounds, 0)), median(array_column($rounds, 1))];
    $ratio = median(array_map(fn(array $pair) => $pair[1] / $pair[0], $rounds));
    printf("| %s | %.1f | %s | %.1f | %.2f |\n", $name, $mine, $rival, $other, $ratio);
}
