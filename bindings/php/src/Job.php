<?php

declare(strict_types=1);

namespace Palitra;

use FFI;
use FFI\CData;

/**
 * One submitted job: wait for it, cancel it, ask for its progress, read its items. A job that nobody refers to any more
 * runs on.
 *
 * @implements \IteratorAggregate<int, mixed>
 */
final class Job implements \IteratorAggregate
{
    private readonly int $held;
    private bool $isTaken = false;
    private mixed $value = null;
    private ?PalitraException $failure = null;

    /**
     * @internal
     * @param bool $isOurs whether nobody wants the job once this object is gone
     * @param ?Runner $runner lives as long
     */
    public function __construct(
        private readonly Library $library,
        private readonly CData $token,
        bool $isOurs,
        private readonly ?Runner $runner = null,
    ) {
        $this->held = Leftovers::add(static function () use ($library, $token, $isOurs): void {
            if ($isOurs) {
                $library->ffi->palitra_token_cancel($token);
            }
            $library->ffi->palitra_token_free($token);
        });
    }

    public function __destruct()
    {
        Leftovers::release($this->held);
    }

    /** Waits until the job has finished, `$timeout` seconds at most. Returns whether it has. */
    public function wait(?float $timeout = null): bool
    {
        $time = $timeout === null ? null : Library::nanoseconds($timeout);
        $wait = fn(int $slice): int => $this->library->ffi->palitra_token_wait($this->token, $slice, null);
        return Library::wait($wait, $time) !== Status::PENDING;
    }

    /** Waits until the job has finished, and returns its reply or throws why there is none. */
    public function value(): mixed
    {
        if (!$this->isTaken) {
            $this->wait();
            $reply = $this->library->new('palitra_reply');
            $this->library->ffi->palitra_token_poll($this->token, FFI::addr($reply));
            try {
                $this->value = $this->library->valueOf($reply);
            } catch (ForkedException $forked) {
                throw $forked;
            } catch (PalitraException $failure) {
                $this->failure = $failure;
            }
            $this->isTaken = true;
        }
        return $this->failure === null ? $this->value : throw $this->failure;
    }

    /** Whether the job has finished, in whatever way. */
    public function isFinished(): bool
    {
        return $this->wait(0);
    }

    /** Cancels the job, if it has not finished. */
    public function cancel(): void
    {
        $this->library->check($this->library->ffi->palitra_token_cancel($this->token));
    }

    /** @return array{int, int} how much is done and how much there is to do: what the job has reported last */
    public function progress(): array
    {
        [$done, $total] = [$this->library->new('uint64_t'), $this->library->new('uint64_t')];
        $status = $this->library->ffi->palitra_token_progress($this->token, FFI::addr($done), FFI::addr($total));
        $this->library->check($status);
        return [$done->cdata, $total->cdata];
    }

    /**
     * The items of the job as they come, once. A failure is thrown after the items before it. Leaving the loop early
     * cancels the job.
     */
    public function getIterator(): \Generator
    {
        $reply = $this->library->new('palitra_reply');
        try {
            while ($this->next($reply)) {
                yield $this->library->valueOf($reply);
            }
        } finally {
            $this->library->ffi->palitra_token_cancel($this->token);
        }
    }

    /** Whether there is another item, which is in the reply then. */
    private function next(CData $reply): bool
    {
        $status = Library::wait(function (int $slice) use ($reply): int {
            $this->library->ffi->palitra_reply_free(FFI::addr($reply));
            return $this->library->ffi->palitra_token_next($this->token, $slice, FFI::addr($reply));
        }, null);
        if ($status === Status::END) {
            $this->library->ffi->palitra_reply_free(FFI::addr($reply));
        }
        return $status !== Status::END;
    }
}
