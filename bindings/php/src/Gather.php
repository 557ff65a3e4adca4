<?php

declare(strict_types=1);

namespace Palitra;

use FFI;
use FFI\CData;

/**
 * Many jobs at once: one call submits them, one waits for all, one takes the replies.
 *
 * @internal
 */
final class Gather
{
    private readonly CData $tokens;
    private readonly CData $replies;
    private readonly int $count;
    private readonly int $held;

    /** @param list<array{string, string}> $jobs names and payloads */
    public function __construct(
        private readonly Library $library,
        private readonly CData $runner,
        private readonly array $jobs,
    ) {
        $this->count = count($jobs);
        $this->tokens = $library->ffi->new('palitra_token[' . max($this->count, 1) . ']');
        $this->replies = $library->ffi->new('palitra_reply[' . max($this->count, 1) . ']');
        [$ffi, $tokens, $replies, $count] = [$library->ffi, $this->tokens, $this->replies, $this->count];
        $this->held = Leftovers::add(static function () use ($ffi, $tokens, $replies, $count): void {
            foreach (self::submitted($tokens, $count) as $token) {
                $ffi->palitra_token_cancel($token);
                $ffi->palitra_token_free($token);
            }
            for ($i = 0; $i < $count; $i++) {
                $ffi->palitra_reply_free(FFI::addr($replies[$i]));
            }
        });
    }

    /** Cancels what has not finished, whatever ended the wait, and frees what nobody has read. */
    public function __destruct()
    {
        Leftovers::release($this->held);
    }

    /** @return list<CData> those that were submitted and not freed */
    public function tokens(): array
    {
        return self::submitted($this->tokens, $this->count);
    }

    /** What is refused throws. */
    public function submit(?float $timeout): void
    {
        $ffi = $this->library->ffi;
        $submissions = $ffi->new('palitra_submission[' . max($this->count, 1) . ']');
        $payloads = implode('', array_column($this->jobs, 1));
        $data = self::copy($ffi, 'uint8_t', $payloads);
        $names = [];
        $offset = 0;
        foreach ($this->jobs as $i => [$name, $payload]) {
            $submission = $submissions[$i];
            $submission->job = $ffi->cast('char *', $names[$name] ??= self::copy($ffi, 'char', "$name\0"));
            $submission->data = $ffi->cast('uint8_t *', FFI::addr($data[$offset]));
            $submission->len = strlen($payload);
            $offset += strlen($payload);
        }
        $options = $this->library->options(Status::NO_ITEMS, $timeout);
        $taken = $this->library->new('size_t');
        $status = $ffi->palitra_runner_submit_many(
            $this->runner,
            $submissions,
            $this->count,
            FFI::addr($options),
            $this->tokens,
            FFI::addr($taken),
        );
        $this->library->check($status, $this->jobs[$taken->cdata][0] ?? '');
    }

    /** @return list<mixed> the reply of each job, or the exception that says why there is none */
    public function outcomes(bool $failFast): array
    {
        $ffi = $this->library->ffi;
        $flags = $failFast ? Status::FAIL_FAST : 0;
        Library::wait(
            fn(int $slice): int
                => $ffi->palitra_runner_gather($this->runner, $this->tokens, $this->count, $flags, $slice, null),
            null,
        );
        $ffi->palitra_runner_gather(
            $this->runner,
            $this->tokens,
            $this->count,
            Status::FREE_TOKENS,
            -1,
            $this->replies,
        );
        FFI::memset($this->tokens, 0, FFI::sizeof($this->tokens));
        $outcomes = [];
        for ($i = 0; $i < $this->count; $i++) {
            try {
                $outcomes[] = $this->library->valueOf($this->replies[$i]);
            } catch (PalitraException $failure) {
                $outcomes[] = $failure;
            }
        }
        Leftovers::forget($this->held);
        return $outcomes;
    }

    /** @return list<CData> */
    private static function submitted(CData $tokens, int $count): array
    {
        $submitted = [];
        for ($i = 0; $i < $count && $tokens[$i]->id !== 0; $i++) {
            $submitted[] = $tokens[$i];
        }
        return $submitted;
    }

    /** One byte more than the text has: there is no array of none. */
    private static function copy(FFI $ffi, string $type, string $text): CData
    {
        $copy = $ffi->new("{$type}[" . strlen($text) + 1 . ']');
        FFI::memcpy($copy, $text, strlen($text));
        return $copy;
    }
}
