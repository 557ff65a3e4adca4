<?php

// For opcache.preload: compiles palitra once for all requests of a server. With it ffi.enable=preload is enough, PHP's
// default, which lets no other file use FFI. Beside it ffi.preload, with src/palitra.h, loads the library once, too.

declare(strict_types=1);

require_once __DIR__ . '/src/exceptions.php';
require_once __DIR__ . '/src/Status.php';
require_once __DIR__ . '/src/JobInfo.php';
require_once __DIR__ . '/src/Leftovers.php';
require_once __DIR__ . '/src/Library.php';
require_once __DIR__ . '/src/Job.php';
require_once __DIR__ . '/src/Gather.php';
require_once __DIR__ . '/src/Runner.php';
require_once __DIR__ . '/src/functions.php';
