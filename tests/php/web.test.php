<?php

// Web servers: the workers of php-fpm with preloading, and those of PHP's own server. In each the global runner lives
// on from request to request, which the connections to a server show: a worker keeps its own alive.

declare(strict_types=1);

namespace Palitra\Tests;

/** An application that fetches a page in each request, and says who it is and by which connection the page came. */
function application(string $folder, int $pages): void
{
    $package = var_export(PACKAGE . '/autoload.php', true);
    file_put_contents("$folder/index.php", <<<PHP
        <?php
        require $package;
        \$page = Palitra\\run('http.get', ['url' => 'http://127.0.0.1:$pages/page']);
        \$own = new Palitra\\Runner();
        \$own->gather([['palitra.sleep', ['seconds' => 0.05]], 'palitra.echo']);
        echo json_encode([getmypid(), trim(\$page['body']), ini_get('ffi.enable')]);
        PHP);
}

/** nginx, which answers /page with the number of the connection, and hands /php to php-fpm. */
function nginx(string $folder, int $port, callable $body): void
{
    file_put_contents("$folder/nginx.conf", <<<NGINX
        daemon off;
        pid $folder/nginx.pid;
        error_log stderr;
        worker_processes 1;
        events {}
        http {
            access_log off;
            client_body_temp_path $folder/body;
            fastcgi_temp_path $folder/fastcgi;
            proxy_temp_path $folder/proxy;
            scgi_temp_path $folder/scgi;
            uwsgi_temp_path $folder/uwsgi;
            server {
                listen 127.0.0.1:$port;
                location /page { return 200 "\$connection\\n"; }
                location /php {
                    fastcgi_pass unix:$folder/fpm.sock;
                    fastcgi_param SCRIPT_FILENAME $folder/index.php;
                    fastcgi_param REQUEST_METHOD GET;
                }
            }
        }
        NGINX);
    $isReady = fn() => accepts($port);
    serving(['nginx', '-c', "$folder/nginx.conf", '-e', 'stderr'], "$folder/nginx.log", $isReady, $body);
}

/** The bodies of two requests at the same time. */
function askTwice(int $port, string $path): array
{
    $connections = [];
    foreach ([0, 1] as $i) {
        $connections[$i] = stream_socket_client("tcp://127.0.0.1:$port");
        fwrite($connections[$i], "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n");
    }
    return array_map(fn(mixed $answering) => explode("\r\n\r\n", stream_get_contents($answering), 2)[1], $connections);
}

/** Asks until two workers have answered twice: each by one connection, which is not the other's. */
function sameConnections(int $port, string $path, string $ffi): void
{
    $connections = [];
    $answers = [];
    eventually(function () use ($port, $path, $ffi, &$connections, &$answers): bool {
        foreach (askTwice($port, $path) as $answer) {
            [$worker, $connection, $enabled] = json_decode($answer) ?? throw new Failure($answer);
            same($ffi, $enabled);
            $connections[$worker][$connection] = true;
            $answers[$worker] = ($answers[$worker] ?? 0) + 1;
        }
        return count(array_filter($answers, fn(int $count) => $count >= 2)) >= 2;
    });
    same([1], array_values(array_unique(array_map(count(...), $connections))));
    same(count($connections), count(array_unique(array_map(key(...), $connections))));
}

test('workers of php-fpm that preload keep their runner and its connections', function (): void {
    folder(fn(string $folder) => nginx($folder, $port = port(), function () use ($folder, $port): void {
        application($folder, $port);
        $user = posix_getpwuid(posix_geteuid())['name'];
        file_put_contents("$folder/fpm.conf", <<<FPM
            [global]
            error_log = /dev/stderr
            [www]
            user = $user
            listen = $folder/fpm.sock
            listen.mode = 0666
            pm = static
            pm.max_children = 2
            catch_workers_output = yes
            env[PALITRA_LIBRARY] = /nowhere/not-needed.so
            FPM);
        $fpm = sprintf('php-fpm%d.%d', PHP_MAJOR_VERSION, PHP_MINOR_VERSION);
        // A library that is found by its name, as an installed one is.
        symlink(getenv('PALITRA_LIBRARY_DIR') . '/libpalitra.so', "$folder/libpalitra.so.1");
        [$files, $header] = [PACKAGE . '/preload.php', PACKAGE . '/src/palitra.h'];
        $command = [$fpm, '--nodaemonize', '--allow-to-run-as-root', '--fpm-config', "$folder/fpm.conf",
            '-d', 'ffi.enable=preload', '-d', "ffi.preload=$header",
            '-d', "opcache.preload=$files", '-d', "opcache.preload_user=$user"];
        $isReady = fn() => is_resource(@stream_socket_client("unix://$folder/fpm.sock"));
        $ask = fn() => sameConnections($port, '/php', 'preload');
        serving($command, "$folder/fpm.log", $isReady, $ask, ['LD_LIBRARY_PATH' => $folder]);
    }));
});

test("workers of PHP's own server keep their runner and its connections", function (): void {
    folder(fn(string $folder) => nginx($folder, $pages = port(), function () use ($folder, $pages): void {
        application($folder, $pages);
        $port = port();
        $command = [PHP_BINARY, '-d', 'ffi.enable=true', '-S', "127.0.0.1:$port", '-t', $folder];
        $isReady = fn() => accepts($port);
        $ask = fn() => sameConnections($port, '/', '1');
        serving($command, "$folder/server.log", $isReady, $ask, ['PHP_CLI_SERVER_WORKERS' => '2']);
    }));
});

test('a request that dies of a fatal error leaves nothing in the process, which lives on', function (): void {
    folder(function (string $folder): void {
        $package = var_export(PACKAGE . '/autoload.php', true);
        file_put_contents("$folder/index.php", <<<PHP
            <?php
            require $package;
            \$library = Palitra\\load(getenv('PALITRA_LIBRARY_DIR') . '/libpalitra_test_jobs.so');
            \$global = Palitra\\Runner::global(\$library);
            if (\$_GET['dies'] === 'not') {
                \$resident = (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096 / 1e6;
                [\$threads, \$files] = [count(scandir('/proc/self/task')), count(scandir('/proc/self/fd'))];
                \$global->run('palitra.echo');
                echo json_encode([\$resident, \$threads, \$files, \$global->stats()['running']]);
                return;
            }
            \$runner = new Palitra\\Runner(library: \$library);
            \$job = \$runner->submit('test.never');
            \$stream = \$global->stream('test.never');
            register_shutdown_function(function () use (\$runner) {
                file_put_contents(__DIR__ . '/last', \$runner->run('palitra.echo', 'x'), FILE_APPEND);
            });
            \$large = ['test.large', ['bytes' => 50_000_000]];
            match (\$_GET['dies']) {
                'by an error' => trigger_error('mine', E_USER_ERROR),
                'in a run' => \$runner->run(...\$large),
                'in a gather' => \$runner->gather([\$large, \$large]),
                'in a wait' => \$runner->submit(...\$large)->value(),
                'of small texts' => (function () {
                    for (\$texts = [];; \$texts[] = random_bytes(40)) {
                    }
                })(),
            };
            PHP);
        $port = port();
        $ask = fn(string $how) => file_get_contents(
            "http://127.0.0.1:$port/?dies=" . rawurlencode($how),
            context: stream_context_create(['http' => ['ignore_errors' => true]]),
        );
        $look = fn() => json_decode($ask('not'));
        $command = [PHP_BINARY, '-d', 'ffi.enable=true', '-d', 'memory_limit=32M', '-d', 'display_errors=1',
            '-S', "127.0.0.1:$port", '-t', $folder];
        serving($command, "$folder/server.log", fn() => accepts($port), function () use ($ask, $look, $folder): void {
            $look();
            [$before, $held] = [$look()[0], array_slice($look(), 1)];
            $ways = ['by an error', 'in a run', 'in a gather', 'in a wait', 'of small texts'];
            foreach ($ways as $i => $way) {
                matches('/Fatal error/', $ask($way));
                same($i + 1, strlen(file_get_contents("$folder/last")), "the program's function after a death $way");
                eventually(fn() => array_slice($look(), 1) === $held);
                same(true, $look()[0] < $before + 30, "memory after a death $way");
            }
        });
    });
});
