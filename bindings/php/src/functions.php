<?php

// The calls of the global runner: Runner documents each.

declare(strict_types=1);

namespace Palitra;

/** Runs a job to its end and returns its reply. */
function run(string $job, mixed $payload = null, ?float $timeout = null): mixed
{
    return Runner::global()->run($job, $payload, $timeout);
}

/** Submits a job, to wait for it later. */
function submit(string $job, mixed $payload = null, ?float $timeout = null, int $streamItems = 0): Job
{
    return Runner::global()->submit($job, $payload, $timeout, $streamItems);
}

/** The items of a job as they come. */
function stream(string $job, mixed $payload = null, ?float $timeout = null, int $streamItems = 0): \Generator
{
    return Runner::global()->stream($job, $payload, $timeout, $streamItems);
}

/**
 * Runs many jobs at the same time.
 *
 * @template K of array-key
 * @param array<K, string|array{0: string, 1?: mixed}> $jobs
 * @return array<K, mixed>
 */
function gather(array $jobs, ?float $timeout = null, bool $failFast = false, bool $settled = false): array
{
    return Runner::global()->gather($jobs, $timeout, $failFast, $settled);
}

/** Loads a library of jobs of your own. */
function load(string $path): Library
{
    return Library::load($path);
}
