<?php

// Loads palitra without Composer: require this file.

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Palitra\\')) {
        $name = substr($class, strlen('Palitra\\'));
        $file = __DIR__ . '/src/' . (str_ends_with($name, 'Exception') ? 'exceptions' : $name) . '.php';
        if (is_file($file)) {
            require_once $file;
        }
    }
});

// A preloaded process has them already.
if (!function_exists('Palitra\run')) {
    require __DIR__ . '/src/functions.php';
}
