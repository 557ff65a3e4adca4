<?php

declare(strict_types=1);

namespace Palitra;

use FFI;
use FFI\CData;

/** A library built on palitra: its jobs, and how payloads, replies and statuses become PHP's. */
final class Library
{
    /** How long a wait lasts before PHP has its turn, in nanoseconds: the handlers of signals run then. */
    private const SLICE = 50_000_000;

    /** A reply of so many bytes is freed even if its copy is more than the memory limit allows. */
    private const LARGE = 1 << 16;

    /** @var array<string, self> */
    private static array $loaded = [];
    private static ?self $shipped = null;

    /** @var array<string, JobInfo> */
    private readonly array $jobs;
    /** @var array<string, FFI\CType> */
    private array $types = [];

    /** @internal */
    public function __construct(public readonly FFI $ffi)
    {
        $version = $ffi->palitra_abi_version();
        if ($version !== Status::ABI_VERSION) {
            $expected = Status::ABI_VERSION;
            throw new \RuntimeException("the library has version $version of palitra's ABI, not $expected");
        }
        $this->jobs = $this->readJobs();
    }

    /** Loads a library of jobs. The same path is the same library. */
    public static function load(string $path): self
    {
        return self::$loaded[$path] ??= new self(self::open($path));
    }

    /** The library that was preloaded, or that PALITRA_LIBRARY names, or the one of this package, or the system's. */
    public static function shipped(): self
    {
        return self::$shipped ??= self::preloaded() ?? self::load(self::shippedPath());
    }

    public function version(): string
    {
        return $this->ffi->palitra_version();
    }

    /** @return list<JobInfo> what jobs there are, by name in order */
    public function jobs(): array
    {
        return array_values($this->jobs);
    }

    /** Configures the runners that are made from now on, the global one among them. */
    public function configure(array|object $config): void
    {
        $this->check($this->ffi->palitra_configure(self::json($config)));
    }

    // ---- for the runners and their jobs

    /** A value of a type of the ABI, of zeros. */
    public function new(string $type): CData
    {
        return $this->ffi->new($this->types[$type] ??= $this->ffi->type($type));
    }

    /** A payload as the job takes it. */
    public function encode(string $job, mixed $payload): string
    {
        if (str_contains($job, "\0")) {
            throw new \ValueError('the name of a job contains a NUL');
        }
        if ($payload === null) {
            return '';
        }
        $input = ($this->jobs[$job] ?? null)?->input;
        if ($input === 'json' || ($input === null && !is_string($payload))) {
            return self::json($payload);
        }
        if (!is_string($payload)) {
            throw new \TypeError("the payload of $job is a string, not " . get_debug_type($payload));
        }
        return $payload;
    }

    /** How to submit a job. */
    public function options(int $flags, ?float $timeout, int $streamItems = 0): CData
    {
        $options = $this->new('palitra_submit_options');
        $options->size = FFI::sizeof($options);
        $options->flags = $flags;
        $options->deadline_ns = $timeout === null ? 0 : max(self::nanoseconds($timeout), 1);
        $options->stream_items = $streamItems;
        return $options;
    }

    /** What a call has filled a reply with. The reply is freed. */
    public function valueOf(CData $reply): mixed
    {
        $held = $reply->len < self::LARGE
            ? null
            : Leftovers::add(fn() => $this->ffi->palitra_reply_free(FFI::addr($reply)));
        try {
            $data = FFI::string($reply->data, $reply->len);
            if ($reply->status !== Status::OK) {
                throw $this->exception($reply->status, $data, $reply->code);
            }
            $isJson = Status::FORMATS[$reply->format] === 'json';
            return $isJson ? json_decode($data, true, flags: JSON_THROW_ON_ERROR) : $data;
        } finally {
            $this->ffi->palitra_reply_free(FFI::addr($reply));
            if ($held !== null) {
                Leftovers::forget($held);
            }
        }
    }

    public function check(int $status, string $job = ''): void
    {
        if ($status === Status::OK) {
            return;
        }
        $message = '';
        if ($status === Status::UNKNOWN_JOB) {
            $nearest = $this->ffi->palitra_job_nearest($job);
            $message = "no job is registered as \"$job\"" . ($nearest === null ? '' : "; the nearest is \"$nearest\"");
        }
        throw $this->exception($status, $message);
    }

    /**
     * Waits in slices until a call returns another status than PENDING, or the time has passed: nanoseconds, or null.
     *
     * @param callable(int): int $call is given how long to wait
     */
    public static function wait(callable $call, ?int $time): int
    {
        $end = $time === null ? null : hrtime(true) + $time;
        do {
            $left = $end === null ? self::SLICE : max($end - hrtime(true), 0);
            $status = $call(min($left, self::SLICE));
        } while ($status === Status::PENDING && $left > 0);
        return $status;
    }

    /** Seconds as the library's nanoseconds. */
    public static function nanoseconds(float $seconds, string $name = 'timeout'): int
    {
        if (!($seconds >= 0)) {
            throw new \ValueError("$name is a number of seconds, not $seconds");
        }
        // A hundred years is forever, and its sum with the time of day still an integer.
        return (int) round(min($seconds, 3.2e9) * 1e9);
    }

    public static function json(mixed $value): string
    {
        $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;
        return json_encode($value, $flags);
    }

    private static function open(string $path): FFI
    {
        try {
            return FFI::cdef(self::declarations(), $path);
        } catch (FFI\Exception $exception) {
            $message = "$path cannot be used as a library of palitra: {$exception->getMessage()}";
            throw new \RuntimeException($message, 0, $exception);
        }
    }

    /** What ffi.preload has loaded for all requests of a server, by the name that src/palitra.h gives it. */
    private static function preloaded(): ?self
    {
        try {
            return new self(FFI::scope('palitra'));
        } catch (FFI\Exception) {
            return null;
        }
    }

    private static function shippedPath(): string
    {
        $own = __DIR__ . '/libpalitra.so';
        return getenv('PALITRA_LIBRARY') ?: (is_file($own) ? $own : 'libpalitra.so.1');
    }

    /** Without the macros, which only ffi.preload reads. */
    private static function declarations(): string
    {
        return preg_replace('/^#.*/m', '', file_get_contents(__DIR__ . '/palitra.h'));
    }

    /** @return array<string, JobInfo> */
    private function readJobs(): array
    {
        $jobs = [];
        $info = $this->new('palitra_job_info');
        for ($i = 0, $count = $this->ffi->palitra_job_count(); $i < $count; $i++) {
            $this->check($this->ffi->palitra_job_at($i, FFI::addr($info)));
            [$input, $output] = [Status::FORMATS[$info->input], Status::FORMATS[$info->output]];
            $jobs[$info->name] = new JobInfo($info->name, $info->doc, $input, $output);
        }
        return $jobs;
    }

    private function exception(int $status, string $message, int $code = 0): PalitraException
    {
        $class = Status::EXCEPTIONS[$status] ?? PalitraException::class;
        if ($message === '' && !is_a($class, JobException::class, true)) {
            $message = $this->ffi->palitra_status_message($status);
        }
        return new $class($message, $this->ffi->palitra_status_name($status), $code);
    }
}
