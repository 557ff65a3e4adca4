<?php

declare(strict_types=1);

namespace Palitra;

/** A job that a library holds. The formats are "bytes", "text" or "json". */
final class JobInfo
{
    public function __construct(
        public readonly string $name,
        public readonly string $doc,
        public readonly string $input,
        public readonly string $output,
    ) {
    }
}
