<?php

declare(strict_types=1);

namespace Palitra;

/**
 * The numbers of the C ABI that this package needs: include/palitra.h defines them.
 *
 * @internal
 */
final class Status
{
    public const ABI_VERSION = 1;

    public const OK = 0;
    public const PENDING = 1;
    public const END = 2;
    public const UNKNOWN_JOB = 22;

    public const NO_ITEMS = 2;
    public const INLINE_ONLY = 4;

    public const FAIL_FAST = 1;
    public const FREE_TOKENS = 2;

    public const FORMATS = ['bytes', 'text', 'json'];

    /** The exceptions of the statuses that have one of their own. */
    public const EXCEPTIONS = [
        10 => JobException::class,
        11 => JobPanickedException::class,
        12 => CancelledException::class,
        13 => TimeoutException::class,
        14 => BadPayloadException::class,
        20 => InvalidArgumentException::class,
        21 => InvalidHandleException::class,
        22 => UnknownJobException::class,
        23 => BusyException::class,
        24 => TooLargeException::class,
        26 => ShutDownException::class,
        27 => ForkedException::class,
        29 => InternalException::class,
    ];
}
