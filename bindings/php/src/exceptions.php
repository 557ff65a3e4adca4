<?php

// What palitra throws. Library::exception maps the statuses to these.

declare(strict_types=1);

namespace Palitra;

/** A job failed, or a call was refused. `$status` is the name of the status, such as "PALITRA_BUSY". */
class PalitraException extends \RuntimeException
{
    public function __construct(string $message, public readonly string $status, int $code = 0)
    {
        parent::__construct($message, $code);
    }
}

/** The job ran and returned an error: `getCode()` is its number, `getMessage()` its text. */
class JobException extends PalitraException
{
}

/** The job refused its payload before it started: JSON of another shape, text that is not UTF-8. */
class BadPayloadException extends JobException
{
}

/** The job panicked, with this message. Its runner lives on. */
class JobPanickedException extends PalitraException
{
}

/** The job was cancelled: by a call, a fail-fast gather, or the end of its runner. */
class CancelledException extends PalitraException
{
}

/** The job's timeout passed, and it was cancelled. */
class TimeoutException extends PalitraException
{
}

/** The library does not accept an argument. */
class InvalidArgumentException extends PalitraException
{
}

/** The runner was closed. */
class InvalidHandleException extends PalitraException
{
}

/** The library has no job of that name. The message names the most similar one. */
class UnknownJobException extends PalitraException
{
}

/** As many jobs are in flight as the runner accepts. */
class BusyException extends PalitraException
{
}

/** The payload is larger than the runner accepts. */
class TooLargeException extends PalitraException
{
}

/** The runner was shut down. */
class ShutDownException extends PalitraException
{
}

/** The runner or the job was made before this process was forked. The child makes its own. */
class ForkedException extends PalitraException
{
}

/** The system refused a thread, or the library has a defect. */
class InternalException extends PalitraException
{
}
