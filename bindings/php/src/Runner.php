<?php

declare(strict_types=1);

namespace Palitra;

use FFI;
use FFI\CData;

/**
 * A runner: a background thread of the library that runs jobs. It is shut down when nobody refers to it any more, in a
 * web server at the end of the request. The global runner lives as long as the process.
 *
 * A timeout is in seconds; past it the job is cancelled.
 */
final class Runner
{
    private const FIGURES = [
        'threads', 'submitted', 'running', 'queued', 'succeeded', 'failed', 'panicked', 'cancelled', 'deadline',
    ];

    /** How long a shutdown sleeps before it looks again whether jobs are in flight, in microseconds. */
    private const PAUSE = 5000;

    /** @var array<int, self> one for each library, which is never freed */
    private static array $globals = [];

    /** Of the global runner null. */
    private readonly ?CData $handle;
    private readonly int $held;
    public readonly Library $library;

    /**
     * 0 is no limit.
     *
     * @param array<string, mixed>|object|null $config configures the states of the jobs
     * @param ?Library $library a library of jobs of your own: Library::load
     */
    public function __construct(
        int $maxInFlight = 0,
        int $maxPayload = 0,
        int $workerThreads = 0,
        int $maxBlockingThreads = 0,
        string $name = 'palitra',
        array|object|null $config = null,
        ?Library $library = null,
    ) {
        $this->library = $library ?? Library::shipped();
        $options = $this->library->new('palitra_runner_options');
        $options->size = FFI::sizeof($options);
        $options->max_in_flight = self::count('maxInFlight', $maxInFlight);
        $options->max_payload = self::count('maxPayload', $maxPayload);
        $options->worker_threads = self::count('workerThreads', $workerThreads);
        $options->max_blocking_threads = self::count('maxBlockingThreads', $maxBlockingThreads);
        if (str_contains($name, "\0")) {
            throw new \ValueError('the name of a runner contains a NUL');
        }
        $texts = [$this->text($name), $this->text($config === null ? '' : Library::json($config))];
        $options->thread_name = $this->library->ffi->cast('char *', $texts[0]);
        if ($config !== null) {
            $options->config = $this->library->ffi->cast('char *', $texts[1]);
        }
        $handle = $this->library->new('palitra_runner');
        $status = $this->library->ffi->palitra_runner_new(FFI::addr($options), FFI::addr($handle));
        $this->library->check($status);
        $this->handle = $handle;
        $ffi = $this->library->ffi;
        $this->held = Leftovers::add(static fn() => $ffi->palitra_runner_free($handle));
    }

    /** The global runner, which is made at its first job, also in a forked child. */
    public static function global(?Library $library = null): self
    {
        $library ??= Library::shipped();
        return self::$globals[spl_object_id($library)] ??= self::ofProcess($library);
    }

    public function __destruct()
    {
        if (isset($this->held)) {
            Leftovers::release($this->held);
        }
    }

    /** Runs a job to its end and returns its reply. */
    public function run(string $job, mixed $payload = null, ?float $timeout = null): mixed
    {
        $data = $this->library->encode($job, $payload);
        // Without a timeout this thread polls the job once, which nothing else waits for: PHP has no other.
        $flags = Status::NO_ITEMS | ($timeout === null ? 0 : Status::INLINE_ONLY);
        $options = $this->library->options($flags, $timeout);
        $token = $this->library->new('palitra_token');
        $reply = $this->library->new('palitra_reply');
        $status = $this->library->ffi->palitra_runner_start(
            $this->handle(),
            $job,
            $data,
            strlen($data),
            FFI::addr($options),
            FFI::addr($token),
            FFI::addr($reply),
        );
        if ($status !== Status::PENDING) {
            return $this->library->valueOf($reply);
        }
        $this->library->ffi->palitra_reply_free(FFI::addr($reply));
        return (new Job($this->library, $token, isOurs: true))->value();
    }

    /** Submits a job. What is refused throws. `$streamItems` is how many items wait for a reader; 0 is 16. */
    public function submit(string $job, mixed $payload = null, ?float $timeout = null, int $streamItems = 0): Job
    {
        return $this->start($job, $payload, $timeout, $streamItems, false);
    }

    /** The items of a job as they come. A slow loop slows the job; leaving it early cancels the job. */
    public function stream(
        string $job,
        mixed $payload = null,
        ?float $timeout = null,
        int $streamItems = 0,
    ): \Generator {
        return $this->start($job, $payload, $timeout, $streamItems, true)->getIterator();
    }

    /**
     * Runs many jobs, each a name or [name, payload], at the same time: their replies by the keys of the jobs.
     *
     * Once all have finished, the failure of the first that failed is thrown. With `$settled` failures stand among the
     * replies. With `$failFast` the first failure cancels the rest.
     *
     * @template K of array-key
     * @param array<K, string|array{0: string, 1?: mixed}> $jobs
     * @return array<K, mixed>
     */
    public function gather(array $jobs, ?float $timeout = null, bool $failFast = false, bool $settled = false): array
    {
        $encoded = [];
        foreach ($jobs as $job) {
            [$name, $payload] = (array) $job + [1 => null];
            $encoded[] = [$name, $this->library->encode($name, $payload)];
        }
        $gather = new Gather($this->library, $this->handle(), $encoded);
        $gather->submit($timeout);
        $outcomes = array_combine(array_keys($jobs), $gather->outcomes($failFast));
        $failed = array_filter($outcomes, fn(mixed $outcome): bool => $outcome instanceof PalitraException);
        if ($settled || $failed === []) {
            return $outcomes;
        }
        $causes = array_filter($failed, fn(PalitraException $failure): bool => !$failure instanceof CancelledException);
        throw array_values($failFast && $causes !== [] ? $causes : $failed)[0];
    }

    /** Whether it takes jobs. */
    public function isAlive(): bool
    {
        $ffi = $this->library->ffi;
        return $this->handle === null ? $ffi->palitra_is_runner_alive() : $ffi->palitra_runner_is_alive($this->handle);
    }

    /**
     * How the runner is doing: jobs by how they ended, and the longest time in seconds that one blocked a thread.
     *
     * @return array<string, int|float>
     */
    public function stats(): array
    {
        $stats = $this->library->new('palitra_stats');
        $stats->size = FFI::sizeof($stats);
        $this->library->check($this->library->ffi->palitra_runner_stats($this->handle(), FFI::addr($stats)));
        $figures = [];
        foreach (self::FIGURES as $figure) {
            $figures[$figure] = $stats->$figure;
        }
        return $figures + ['longest_poll' => $stats->longest_poll_ns / 1e9];
    }

    /**
     * Refuses new jobs, gives those in flight `$grace` seconds (INF: no limit), and cancels the rest. Returns whether
     * the runner has ended: false if something still blocks one of its threads. The next job makes a new global runner.
     *
     * The handlers of signals run meanwhile. Theirs are the only jobs that are still accepted while others are in
     * flight. What a handler throws ends the grace period.
     */
    public function shutdown(float $grace = 0): bool
    {
        $time = $grace === INF ? null : Library::nanoseconds($grace, 'grace');
        $end = $time === null ? null : hrtime(true) + $time;
        try {
            Library::wait($this->waitUntilIdle(...), $time);
        } catch (\Throwable $thrown) {
            $this->end(0);
            throw $thrown;
        }
        $status = $this->end($end === null ? -1 : max($end - hrtime(true), 0));
        if ($status !== Status::PENDING) {
            $this->library->check($status);
        }
        return $status === Status::OK;
    }

    /** Shuts the runner down and frees it, as its end does. */
    public function close(float $grace = 0): void
    {
        try {
            $this->shutdown($grace);
        } catch (InvalidHandleException | ForkedException) {
            // There is nothing to shut down.
        }
        $this->__destruct();
    }

    /**
     * Waits until no job is in flight, or so many nanoseconds. The library's own wait for the end of a runner cannot be
     * cut into slices: each would be a grace period, and the shortest holds.
     */
    private function waitUntilIdle(int $time): int
    {
        // The figures of the global runner would make one.
        if ($this->handle === null && !$this->isAlive()) {
            return Status::OK;
        }
        $figures = $this->stats();
        if ($figures['running'] + $figures['queued'] === 0) {
            return Status::OK;
        }
        // A signal ends the sleep.
        usleep(min(intdiv($time, 1000), self::PAUSE));
        return Status::PENDING;
    }

    private function end(int $grace): int
    {
        $ffi = $this->library->ffi;
        return $this->handle === null
            ? $ffi->palitra_shutdown_global_runner($grace)
            : $ffi->palitra_runner_shutdown($this->handle, $grace);
    }

    private static function ofProcess(Library $library): self
    {
        $runner = (new \ReflectionClass(self::class))->newInstanceWithoutConstructor();
        $runner->library = $library;
        $runner->handle = null;
        return $runner;
    }

    private static function count(string $name, int $count): int
    {
        return $count >= 0 ? $count : throw new \ValueError("$name is a count, not $count");
    }

    private function text(string $text): CData
    {
        $copy = $this->library->ffi->new('char[' . strlen($text) + 1 . ']');
        FFI::memcpy($copy, $text, strlen($text));
        return $copy;
    }

    /** The global runner's is asked for each time: after a fork there is another, and after a shutdown. */
    private function handle(): CData
    {
        if ($this->handle !== null) {
            return $this->handle;
        }
        $handle = $this->library->new('palitra_runner');
        $this->library->check($this->library->ffi->palitra_runner_global(FFI::addr($handle)));
        return $handle;
    }

    private function start(string $job, mixed $payload, ?float $timeout, int $streamItems, bool $isOurs): Job
    {
        $data = $this->library->encode($job, $payload);
        if ($streamItems < 0 || $streamItems > 65536) {
            throw new \ValueError("streamItems is a count up to 65536, not $streamItems");
        }
        $options = $this->library->options(0, $timeout, $streamItems);
        $token = $this->library->new('palitra_token');
        $status = $this->library->ffi->palitra_runner_submit(
            $this->handle(),
            $job,
            $data,
            strlen($data),
            FFI::addr($options),
            FFI::addr($token),
        );
        $this->library->check($status, $job);
        return new Job($this->library, $token, $isOurs, $this);
    }
}
